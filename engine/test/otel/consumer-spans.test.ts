/** What a consumer tells of entries that it handles: attempts, retries, claims, stops. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Outcome } from 'millrace'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { age, readAndDie, startConsumer, untilDrained, visit } from '../stage/fixture.ts'
import { appended, freshTraced, linkedBy, of } from '../stage/tracing.ts'

onOldestAndNewest('a traced consumer', (bench) => {
  test('has a span for each call of its handler, and one for the acknowledgement, which link', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { id, parent } = await appended(fixture)
    const active: (string | undefined)[] = []
    const handler = async () => {
      await delay(1)
      active.push(trace.getActiveSpan()?.spanContext().spanId)
    }
    startConsumer(t, fixture, 'ada', { handler })
    const [process] = await fixture.ended('process')
    const [ack] = await fixture.ended('ack')
    assert.ok(process && ack)
    assert.deepEqual(active, [process.spanContext().spanId], 'the handler runs inside it')
    assert.equal(process.name, `process ${fixture.visits.key}`)
    assert.equal(process.kind, SpanKind.CONSUMER)
    assert.equal(process.parentSpanContext, undefined, 'a trace of its own')
    assert.deepEqual(linkedBy(process), [parent])
    const { hostname, port } = new URL(fixture.millrace.url)
    const common = {
      'messaging.system': 'redis_streams',
      'messaging.destination.name': fixture.visits.key,
      'messaging.consumer.group.name': 'desk',
      'messaging.client.id': 'ada',
      'server.address': hostname,
      'server.port': Number(port),
    }
    assert.deepEqual(process.attributes, {
      ...common,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': id,
      'millrace.attempt': 1,
      'millrace.outcome': 'acknowledge',
    })
    assert.equal(ack.kind, SpanKind.CLIENT)
    assert.deepEqual(ack.attributes, {
      ...common,
      'messaging.operation.name': 'ack',
      'messaging.operation.type': 'settle',
      'messaging.batch.message_count': 1,
    })
    assert.deepEqual(linkedBy(ack), [parent])
    assert.deepEqual(ack.links[0]?.attributes, { 'messaging.message.id': id })
  })

  test('begins traces of its own, whatever is active where it is started', async (t) => {
    const fixture = await freshTraced(t, bench())
    await appended(fixture)
    const start = fixture.provider.getTracer('test').startSpan('start')
    context.with(trace.setSpan(context.active(), start), () => {
      startConsumer(t, fixture, 'ada', { handler: () => undefined })
    })
    const [process] = await fixture.ended('process')
    const [ack] = await fixture.ended('ack')
    const traces = [start, process, ack].map((span) => span?.spanContext().traceId)
    assert.equal(new Set(traces).size, 3)
  })

  test('makes what its handler appends a part of the same trace', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const { id } = await appended(fixture)
    startConsumer(t, fixture, 'ada', {
      handler: async (entry) => {
        if (entry.id === id) await millrace.append(visits, visit(2))
      },
    })
    const [, second] = await fixture.ended('send', 2)
    const [first] = await fixture.ended('process', 2)
    assert.equal(second?.parentSpanContext?.spanId, first?.spanContext().spanId)
  })

  test('says of each attempt whether it failed; the next one links, too', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { parent } = await appended(fixture)
    const outcomes: (() => Outcome | undefined)[] = [
      () => {
        throw new RangeError('out of reach')
      },
      () => ({ kind: 'retry', afterMs: 0 }),
      () => undefined,
    ]
    const handler = () => outcomes.shift()?.()
    startConsumer(t, fixture, 'ada', { handler, retry: () => ({ kind: 'retry', afterMs: 0 }) })
    const attempts = await fixture.ended('process', 3)
    assert.deepEqual(
      attempts.map((span) => [
        of(span, 'millrace.attempt'),
        of(span, 'error.type'),
        span.status.code,
        span.status.message,
        of(span, 'millrace.outcome'),
      ]),
      [
        [1, 'RangeError', SpanStatusCode.ERROR, 'out of reach', undefined],
        [2, 'retry', SpanStatusCode.ERROR, 'the handler decided: retry', 'retry'],
        [3, undefined, SpanStatusCode.UNSET, undefined, 'acknowledge'],
      ],
    )
    for (const span of attempts) assert.deepEqual(linkedBy(span), [parent])
    await untilDrained(fixture)
  })

  test('links to entries that it claims', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { id, parent } = await appended(fixture)
    await readAndDie(fixture, 'doomed', 1)
    await age(fixture, 'doomed', 60_000)
    startConsumer(t, fixture, 'ada', { handler: () => undefined, claimAfterMs: 50 })
    const [process] = await fixture.ended('process')
    assert.equal(of(process, 'messaging.message.id'), id)
    assert.deepEqual(linkedBy(process!), [parent])
  })

  test('says what broke off at its stop, and that is no failure', async (t) => {
    const fixture = await freshTraced(t, bench())
    await appended(fixture)
    let begun = false
    const { consumer, ended } = startConsumer(t, fixture, 'ada', {
      handler: async (_entry, { signal }) => {
        begun = true
        await delay(60_000, undefined, { signal })
      },
    })
    await waitFor(() => begun, { what: 'the handler' })
    await consumer.stop()
    assert.equal(await ended, undefined)
    const [process] = await fixture.ended('process')
    assert.equal(of(process, 'millrace.outcome'), 'given-back')
    assert.equal(process?.status.code, SpanStatusCode.UNSET)
  })

  test('says of a handler that takes too long that its time was over', async (t) => {
    const fixture = await freshTraced(t, bench())
    await appended(fixture)
    startConsumer(t, fixture, 'ada', {
      handler: () => delay(60_000, undefined, { ref: false }),
      timeoutMs: 20,
      attemptsMax: 1,
    })
    const [process] = await fixture.ended('process')
    assert.equal(of(process, 'error.type'), 'TimeoutError')
  })
})
