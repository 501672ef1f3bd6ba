/** What push-down tells a trace: its entries stay in the server, so of some batches the latest ones are looked at. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanKind, SpanStatusCode, type HrTime } from '@opentelemetry/api'
import type { FoldedBatch } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { appendVisits, effects, startConsumer, untilDrained, visit } from '../stage/fixture.ts'
import { FoldTraces } from '../../src/consume/fold-traces.ts'
import { carriedBy, freshTraced, linkedBy } from '../stage/tracing.ts'

const ms = ([seconds, nanos]: HrTime): number => seconds * 1000 + nanos / 1e6
const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

onEachServer('traces of push-down', (bench) => {
  test('have a span of a batch that links to its latest entries', async (t) => {
    const fixture = await freshTraced(t, bench(), { entriesPerFold: 3 })
    const ids = await appendVisits(fixture, 10)
    const before = Date.now()
    startConsumer(t, fixture, 'ada', { mode: 'push-down' })
    const [span] = await fixture.ended('process')
    assert.ok(span)
    const sent = (await carriedBy(fixture, ids[0] ?? '')).traceparent
    assert.equal(span.kind, SpanKind.CONSUMER)
    assert.equal(span.attributes['messaging.consumer.group.name'], 'desk')
    assert.equal(span.attributes['messaging.batch.message_count'], 10)
    assert.equal(span.attributes['millrace.batch.sampled_count'], 3)
    assert.deepEqual(linkedBy(span), [sent, sent, sent])
    assert.deepEqual(
      span.links.map((link) => link.attributes?.['messaging.message.id']),
      ['10-0', '9-0', '8-0'],
    )
    assert.ok(ms(span.startTime) >= before - 1, 'it began when it was asked')
    assert.ok(ms(span.endTime) >= ms(span.startTime))
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
  })

  test('are complete where a few entries come each second, and go on in their traces if asked', async (t) => {
    const fixture = await freshTraced(t, bench(), { continuesTraces: true })
    const { millrace, visits } = fixture
    startConsumer(t, fixture, 'ada', { mode: 'push-down' })
    for (let n = 1; n <= 3; n += 1) {
      await millrace.append(visits, visit(n))
      await fixture.ended('process', n)
    }
    const spans = fixture.spans()
    const traces = spans
      .filter(({ name }) => name.startsWith('send'))
      .map((span) => span.spanContext().traceId)
    assert.deepEqual(
      spans
        .filter(({ kind }) => kind === SpanKind.CONSUMER)
        .map((span) => span.spanContext().traceId),
      traces,
    )
  })

  test('are no more than asked for in a second', async (t) => {
    const fixture = await freshTraced(t, bench(), { foldsPerSecond: 2 })
    await appendVisits(fixture, 300)
    const folded: FoldedBatch[] = []
    const observer = { folded: (batch: FoldedBatch) => void folded.push(batch) }
    const began = performance.now()
    const { consumer } = startConsumer(t, fixture, 'ada', { mode: 'push-down', batch: 1, observer })
    await untilDrained(fixture)
    await waitFor(() => folded.length === 300, { what: 'all batches' })
    await consumer.stop()
    const seconds = Math.ceil((performance.now() - began) / 1000)
    const told = fixture.spans().filter(({ name }) => name.startsWith('process')).length
    assert.ok(told >= 2 && told <= 2 * (seconds + 1), `${told} in ${seconds} s`)
  })

  for (const none of [{ foldsPerSecond: 0 }, { entriesPerFold: 0 }]) {
    test(`look at nothing with ${JSON.stringify(none)}`, async (t) => {
      const fixture = await freshTraced(t, bench(), none)
      await appendVisits(fixture, 5)
      const { consumer } = startConsumer(t, fixture, 'ada', { mode: 'push-down' })
      await untilDrained(fixture)
      await consumer.stop()
      const spans = fixture.spans().filter(({ name }) => name.startsWith('process'))
      assert.equal(spans.length > 0, 'entriesPerFold' in none)
      assert.deepEqual(spans.flatMap(linkedBy), [])
    })
  }

  test('have a span for each dead letter, which links to its entry', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { redis, visits, prefix } = fixture
    await redis.send('XADD', visits.key, '1-0', 'guest', 'x', 'traceparent', parent)
    await redis.send('SET', `${prefix}:guests:2`, 'no hash')
    const refused = await fixture.millrace.append(visits, visit(1))
    startConsumer(t, fixture, 'ada', { mode: 'push-down' })
    const dead = await fixture.ended('dead-letter', 2)
    assert.deepEqual(
      dead.map((span) => [
        ...[
          span.attributes['error.type'],
          span.status.code,
          span.attributes['messaging.message.id'],
        ],
        linkedBy(span),
      ]),
      [
        ['undecodable', SpanStatusCode.ERROR, '1-0', [parent]],
        [
          'refused',
          SpanStatusCode.ERROR,
          refused,
          [(await carriedBy(fixture, refused)).traceparent],
        ],
      ],
    )
  })

  test('look at few of the entries where they are large', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const large = { values: visit(1), extra: { note: 'x'.repeat(40_000) } }
    await millrace.appendMany(visits, [large, large, large, large])
    const { consumer } = startConsumer(t, fixture, 'ada', { mode: 'push-down', budgetMs: 100 })
    await untilDrained(fixture)
    await consumer.stop()
    const spans = await fixture.ended('process')
    const looked = spans.map((span) => Number(span.attributes['millrace.batch.sampled_count']))
    assert.ok(
      looked.every((count) => count === 1),
      String(looked),
    )
  })
})

test('a look that fails leaves the span of its batch without links, and harms nobody', async () => {
  const told: { readonly entries: readonly unknown[] }[] = []
  const traces = new FoldTraces({
    connection: { send: () => Promise.reject(new Error('no permission')) },
    stream: 'visits',
    tracing: {
      folds: { perSecond: 1, entries: 16 },
      folded: (fold) => void told.push(fold),
      deadLettered: (letters) => void told.push({ entries: letters }),
    },
  })
  const dead = { id: '1-0', reason: 'undecodable', error: 'no' } as const
  traces.begin()?.({ taken: 2, lastId: '2-0', deadLetters: [dead], bytes: 100 })
  await traces.done()
  assert.deepEqual(
    told.map(({ entries }) => entries),
    [[], [{ ...dead, carried: [] }]],
  )
  assert.equal(traces.begin(), undefined, 'one a second')
})
