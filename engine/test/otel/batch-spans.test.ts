/** What is told of batches: of a consumer without a handler, of one that continues traces, of a reader. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanKind } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { effects, startConsumer, visit } from '../stage/fixture.ts'
import { appended, freshTraced, linkedBy, of, type Traced } from '../stage/tracing.ts'

/** Entries of all these batches. */
const countedBy = (spans: readonly ReadableSpan[]): number =>
  spans.reduce((sum, span) => sum + Number(of(span, 'messaging.batch.message_count')), 0)

/** Waits for the batches of so many entries. */
const batchesOf = (fixture: Traced, many: number): Promise<ReadableSpan[]> =>
  waitFor(
    async () => {
      const spans = await fixture.ended('process')
      return countedBy(spans) === many && spans
    },
    { what: `the batches of ${many} entries` },
  )

onOldestAndNewest('batches of a traced consumer', (bench) => {
  test('has one span for a batch that it applies without a handler', async (t) => {
    const fixture = await freshTraced(t, bench())
    const sent = [await appended(fixture, 1), await appended(fixture, 2)]
    startConsumer(t, fixture, 'ada', { mode: 'pull' })
    const spans = await batchesOf(fixture, 2)
    assert.ok(spans.every(({ kind }) => kind === SpanKind.CONSUMER))
    // Two batches may be under way at once.
    assert.deepEqual(spans.flatMap(linkedBy).sort(), sent.map(({ parent }) => parent).sort())
    assert.deepEqual(await effects(fixture), { guests: 2, rooms: 2 })
  })

  test('links no more than a span keeps, and only to traces that are kept', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const from = (n: number, flags: string) =>
      `00-${traceId}-${String(n).padStart(16, '0')}-${flags}`
    const additions = Array.from({ length: 1000 }, (_, n) => ({
      values: visit(n),
      extra: { traceparent: from(n + 1, n % 2 === 0 ? '01' : '00') },
    }))
    await millrace.appendMany(visits, additions)
    startConsumer(t, fixture, 'ada', { mode: 'pull' })
    const spans = await batchesOf(fixture, 1000)
    const [largest] = spans.toSorted((a, b) => countedBy([b]) - countedBy([a]))
    assert.equal(largest?.links.length, 128)
    assert.equal(largest.droppedLinksCount, 0)
    assert.ok(linkedBy(largest).every((parent) => parent.endsWith('-01')))
  })
})

onOldestAndNewest('a traced consumer that continues traces', (bench) => {
  test('has all of an entry in one trace: append, attempts, acknowledgement', async (t) => {
    const fixture = await freshTraced(t, bench(), { continuesTraces: true })
    const first = await appended(fixture, 1)
    const second = await appended(fixture, 2)
    startConsumer(t, fixture, 'ada', { handler: () => undefined, concurrency: 2 })
    await fixture.ended('ack', 2)
    for (const { id, parent } of [first, second]) {
      const [, traceId, spanId] = parent.split('-')
      const spans = fixture.spans().filter((span) => span.spanContext().traceId === traceId)
      assert.deepEqual(
        spans.map((span) => [span.name.split(' ')[0], of(span, 'messaging.message.id')]),
        [
          ['send', id],
          ['process', id],
          ['ack', id],
        ],
      )
      for (const span of spans.slice(1)) {
        assert.equal(span.parentSpanContext?.spanId, spanId)
        assert.deepEqual(linkedBy(span), [parent])
      }
    }
  })

  test('has a span of the batch where no entry carries a trace, and none where nobody keeps it', async (t) => {
    const fixture = await freshTraced(t, bench(), { continuesTraces: true })
    const { redis, visits } = fixture
    const values = ['guest', '1', 'room', '1', 'stars', '3']
    await redis.send('XADD', visits.key, '1-0', ...values)
    const { consumer } = startConsumer(t, fixture, 'ada', { mode: 'pull' })
    const [process] = await fixture.ended('process')
    assert.equal(of(process, 'messaging.batch.message_count'), 1)
    const unsampled = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
    await redis.send('XADD', visits.key, '2-0', ...values, 'traceparent', unsampled)
    await waitFor(() => consumer.counts.applied === 2, { what: 'the second entry' })
    await consumer.stop()
    assert.equal(fixture.spans().length, 1)
  })
})

onOldestAndNewest('a traced reader', (bench) => {
  test('has a span for each batch, which links, and for each dead letter', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits, guests, redis, prefix } = fixture
    const { parent } = await appended(fixture)
    await redis.send('XADD', visits.key, '*', 'guest', 'x', 'traceparent', parent)
    const reader = millrace.reader(visits, {
      ...{ name: 'solo', positionKey: `${prefix}:position`, projections: [guests], drain: true },
    })
    await reader.run()
    const batches = await fixture.ended('process')
    const [process] = batches
    const [dead] = await fixture.ended('dead-letter')
    assert.deepEqual(batches.flatMap(linkedBy), [parent, parent])
    assert.equal(of(process, 'messaging.client.id'), 'solo')
    assert.equal(of(process, 'messaging.consumer.group.name'), undefined)
    assert.deepEqual(linkedBy(dead!), [parent])
    assert.equal(of(dead, 'error.type'), 'undecodable')
  })
})
