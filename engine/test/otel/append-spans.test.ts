/** What an append tells its trace, and what its entries carry. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-node'
import { integer, stream, text } from 'millrace'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { visit } from '../stage/fixture.ts'
import { carriedBy, freshTraced, linkedBy, traceparent } from '../stage/tracing.ts'

const foreign = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

onOldestAndNewest('a traced append', (bench) => {
  test('is one span by the conventions, and its entry carries its context', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const id = await millrace.append(visits, visit(1))
    const [span] = await fixture.ended('send')
    assert.ok(span)
    assert.equal(span.name, `send ${visits.key}`)
    assert.equal(span.kind, SpanKind.PRODUCER)
    const { hostname, port } = new URL(millrace.url)
    assert.deepEqual(span.attributes, {
      'messaging.system': 'redis_streams',
      'messaging.destination.name': visits.key,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.message.id': id,
      'server.address': hostname,
      'server.port': Number(port),
    })
    assert.equal(span.status.code, SpanStatusCode.UNSET)
    assert.deepEqual(await carriedBy(fixture, id), {
      traceparent: traceparent(span.spanContext()),
    })
  })

  test('is a child of what is active, and keeps its state', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits, provider } = fixture
    const request = provider.getTracer('test').startSpan('request')
    const id = await context.with(trace.setSpan(context.active(), request), () =>
      millrace.append(visits, visit(1), { extra: { shift: 'late' } }),
    )
    const [span] = await fixture.ended('send')
    assert.equal(span?.parentSpanContext?.spanId, request.spanContext().spanId)
    assert.deepEqual(await carriedBy(fixture, id), {
      shift: 'late',
      traceparent: traceparent(span.spanContext()),
    })
  })

  test('carries the state of its trace, and none without its parent', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const { createTraceState } = await import('@opentelemetry/api')
    const remote = {
      ...{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' },
      ...{ traceFlags: 1, isRemote: true, traceState: createTraceState('vendor=7') },
    }
    const within = trace.setSpanContext(context.active(), remote)
    const id = await context.with(within, () => millrace.append(visits, visit(1)))
    const carried = await carriedBy(fixture, id)
    assert.equal(carried.tracestate, 'vendor=7')
    assert.match(carried.traceparent ?? '', /^00-0af7651916cd43dd8448eb211c80319c-/)
    const stray = await millrace.append(visits, visit(1), { extra: { tracestate: 'lost=1' } })
    assert.equal((await carriedBy(fixture, stray)).tracestate, undefined)
  })

  test('of a batch is one span with the number of its entries, which share its context', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const items = [1, 2, 3].map((n) => ({ values: visit(n) }))
    const outcomes = await millrace.appendBatch(visits, items)
    const many = await millrace.appendMany(visits, items)
    const [batch, pipelined] = await fixture.ended('send', 2)
    assert.ok(batch && pipelined)
    const ids = [...outcomes.flatMap((one) => ('id' in one ? [one.id] : [])), ...many]
    assert.equal(ids.length, 6)
    for (const [at, id] of ids.entries()) {
      const parent = traceparent((at < 3 ? batch : pipelined).spanContext())
      assert.deepEqual(await carriedBy(fixture, id), { traceparent: parent })
    }
    for (const span of [batch, pipelined]) {
      assert.equal(span.kind, SpanKind.PRODUCER)
      assert.equal(span.attributes['messaging.batch.message_count'], 3)
      assert.equal(span.attributes['messaging.message.id'], undefined)
    }
  })

  test('leaves a context that the caller gives, and links to it', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits } = fixture
    const id = await millrace.append(visits, visit(1), { extra: { traceparent: foreign } })
    const broken = await millrace.append(visits, visit(1), { extra: { traceparent: 'no' } })
    const [first, second, own] = await millrace.appendMany(visits, [
      { values: visit(1), extra: { traceparent: foreign } },
      { values: visit(2) },
    ])
    assert.equal(own, undefined)
    const [given, malformed, mixed] = await fixture.ended('send', 3)
    assert.ok(given && malformed && mixed && first !== undefined && second !== undefined)
    assert.deepEqual(await carriedBy(fixture, id), { traceparent: foreign })
    assert.equal(given.kind, SpanKind.CLIENT)
    assert.deepEqual(linkedBy(given), [foreign])
    assert.deepEqual(await carriedBy(fixture, broken), { traceparent: 'no' })
    assert.deepEqual(linkedBy(malformed), [])
    assert.equal(mixed.kind, SpanKind.PRODUCER)
    assert.deepEqual(linkedBy(mixed), [foreign])
    assert.deepEqual(await carriedBy(fixture, first), { traceparent: foreign })
    const parent = traceparent(mixed.spanContext())
    assert.deepEqual(await carriedBy(fixture, second), { traceparent: parent })
  })

  test('leaves fields alone that the stream declares', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, redis, prefix } = fixture
    const declared = stream(`${prefix}:declared`, { traceparent: text(), tracestate: text() })
    await millrace.append(declared, { traceparent: 'mine', tracestate: 'mine too' })
    await millrace.appendBatch(declared, [{ values: { traceparent: 'a', tracestate: 'b' } }])
    const entries = (await redis.send('XRANGE', declared.key, '-', '+')) as [string, string[]][]
    assert.deepEqual(
      entries.map(([, flat]) => flat),
      [
        ['traceparent', 'mine', 'tracestate', 'mine too'],
        ['traceparent', 'a', 'tracestate', 'b'],
      ],
    )
  })

  test('that fails says why, and sends what it sent without a trace: nothing', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { millrace, visits, redis, prefix } = fixture
    await redis.send('SET', `${prefix}:text`, 'no stream')
    const wrong = stream(`${prefix}:text`, { n: integer() })
    await assert.rejects(millrace.appendBatch(wrong, [{ values: { n: 1 } }]), {
      code: 'WRONG_TYPE',
    })
    const tooMany = { guest: 1, room: 1, stars: 9 }
    await assert.rejects(millrace.append(visits, tooMany), RangeError)
    const list = [['a', 'b']] as never
    await assert.rejects(millrace.append(visits, visit(1), { extra: list }), TypeError)
    await assert.rejects(
      millrace.appendBatch(visits, [{ values: visit(1) }], { extra: list }),
      TypeError,
    )
    const spans = await fixture.ended('send', 3)
    assert.deepEqual(
      spans.map(({ attributes, status }) => [attributes['error.type'], status.code]),
      [
        ['WRONG_TYPE', SpanStatusCode.ERROR],
        ['RangeError', SpanStatusCode.ERROR],
        ['TypeError', SpanStatusCode.ERROR],
      ],
    )
    assert.equal(await redis.send('XLEN', visits.key), 0)
  })

  test('that is not sampled says so in its entry', async (t) => {
    const fixture = await freshTraced(t, bench(), { sampler: new AlwaysOffSampler() })
    const id = await fixture.millrace.append(fixture.visits, visit(1))
    assert.match((await carriedBy(fixture, id)).traceparent ?? '', /-00$/)
    assert.deepEqual(fixture.spans(), [])
  })

  test('without an SDK adds nothing', async (t) => {
    const { ProxyTracerProvider } = await import('@opentelemetry/api')
    const fixture = await freshTraced(t, bench(), { provider: new ProxyTracerProvider() })
    const id = await fixture.millrace.append(fixture.visits, visit(1))
    assert.deepEqual(await carriedBy(fixture, id), {})
  })

  test('goes through where a sampler throws, and the process is warned once', async (t) => {
    const sampler = {
      shouldSample: () => {
        throw new Error('broken sampler')
      },
    }
    const warned: Error[] = []
    const listener = (warning: Error) => warned.push(warning)
    process.on('warning', listener)
    t.after(() => process.off('warning', listener))
    const fixture = await freshTraced(t, bench(), { sampler })
    const { millrace, visits } = fixture
    const id = await millrace.append(visits, visit(1))
    await millrace.append(visits, visit(2))
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(await carriedBy(fixture, id), {})
    const ours = warned.filter((one) => 'code' in one && one.code === 'MILLRACE_TRACING')
    assert.deepEqual(
      ours.map(({ message }) => message),
      ['Tracing failed: broken sampler. The work goes on; its next failures are not told'],
    )
  })
})
