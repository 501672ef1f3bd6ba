/** One trace from a request through the stream to a hash, across processes, as a collector gets it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { runMain, runScript, type MainProcess } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { startOtlpReceiver, type SentSpan } from '../stage/otlp-receiver.ts'

const soon = { OTEL_BSP_SCHEDULE_DELAY: '50' }
const stream = 'ncc:checkins'

interface Stage {
  readonly redis: Awaited<ReturnType<Awaited<ReturnType<typeof startRedis>>['client']>>
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  readonly otlp: Awaited<ReturnType<typeof startOtlpReceiver>>
  readonly receiver: MainProcess
  /** Sends a check-in as a client that traces. */
  send(userId: number): Promise<Sent>
}

interface Sent {
  readonly id: string
  readonly traceId: string
  /** The client's. */
  readonly spanId: string
}

async function stage(t: TestContext, args: readonly string[] = []): Promise<Stage> {
  const server = await startRedis()
  t.after(() => server.stop())
  const otlp = await startOtlpReceiver(t)
  const env = { ...soon, REDIS_URL: server.url, KEY_PREFIX: 'ncc', LOG_FORMAT: 'json' }
  await runMain(['groups', 'create'], { env }).exited
  const receiver = runMain(
    ['receiver', '--port', '0', '--grace', '0s', '--otlp', otlp.url, ...args],
    {
      env,
    },
  )
  t.after(() => receiver.kill('SIGKILL'))
  const line = await receiver.waitForLine(/listens on/)
  const url = /http:\/\/[\d.]+:\d+/.exec(line)?.[0] ?? ''
  const send = async (userId: number): Promise<Sent> => {
    const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
    const answer = await fetch(`${url}/api/checkin`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${traceId}-${spanId}-01`,
      },
      body: JSON.stringify({ userId, locationId: 7, starRating: 4 }),
    })
    assert.equal(answer.status, 202)
    const { id } = (await answer.json()) as { id: string }
    return { id, traceId, spanId }
  }
  return { redis: await server.client(), env, url: server.url, otlp, receiver, send }
}

function consumer(
  t: TestContext,
  { env, url, otlp }: Stage,
  name: string,
  way: string,
): MainProcess {
  const args = [url, 'ncc', name, otlp.url, way]
  const started = runScript('checkin/test/stage/traced-consumer.ts', args, { env })
  t.after(() => started.kill('SIGKILL'))
  return started
}

const shown = ({ service, name, attributes, hasFailed }: SentSpan) => [
  service,
  name,
  attributes['millrace.attempt'],
  hasFailed,
]

/** The request and its append, which every trace begins with. Returns the id of the append's span. */
function beginningOf(spans: readonly SentSpan[], { id, spanId }: Sent): string {
  const request = spans.find(({ kind }) => kind === 2)
  const append = spans.find(({ kind }) => kind === 4)
  assert.ok(request && append)
  assert.equal(request.service, 'checkin-receiver')
  assert.equal(request.name, 'POST /api/checkin')
  assert.equal(request.attributes['http.response.status_code'], 202)
  assert.equal(request.parentId, spanId)
  assert.equal(append.name, `send ${stream}`)
  assert.equal(append.parentId, request.spanId)
  assert.equal(append.attributes['messaging.message.id'], id)
  return append.spanId
}

test('a check-in has one trace across a kill -9, a claim and a retry, into its hash', async (t) => {
  const staged = await stage(t)
  const doomed = consumer(t, staged, 'doomed', 'hangs')
  const sent = await staged.send(11)
  await doomed.waitForLine(new RegExp(`handling ${sent.id}`))
  doomed.kill('SIGKILL')
  await doomed.exited
  consumer(t, staged, 'survivor', 'stumbles')
  const spans = await staged.otlp.ofTrace(sent.traceId, 5)
  const append = beginningOf(spans, sent)
  const later = spans.filter(({ service }) => service !== 'checkin-receiver')
  assert.deepEqual(later.map(shown), [
    ['survivor', `process ${stream}`, 1, true],
    ['survivor', `process ${stream}`, 2, false],
    ['survivor', `ack ${stream}`, undefined, false],
  ])
  for (const span of later) {
    assert.equal(span.parentId, append)
    assert.deepEqual(span.links, [append])
    assert.equal(span.attributes['messaging.message.id'], sent.id)
    assert.equal(span.attributes['messaging.client.id'], 'survivor')
  }
  assert.equal((await staged.redis.hash('ncc:users:11')).numCheckins, '1')
})

test('a dead letter and its redrive stay in the trace of the check-in', async (t) => {
  const staged = await stage(t)
  consumer(t, staged, 'survivor', 'stumbles')
  const sent = await staged.send(13)
  const before = await staged.otlp.ofTrace(sent.traceId, 6)
  const append = beginningOf(before, sent)
  const [dead] = before.filter(({ name }) => name === `dead-letter ${stream}`)
  assert.equal(dead?.attributes['error.type'], 'handler')
  assert.equal(dead.parentId, append)
  await runMain(['dead-letters', 'redrive', '--all'], { env: staged.env }).exited
  await waitFor(async () => (await staged.redis.hash('ncc:users:13')).numCheckins === '1', {
    what: 'the effect of the redriven check-in',
  })
  const spans = await staged.otlp.ofTrace(sent.traceId, 8)
  const again = spans.filter((span) => !before.includes(span))
  assert.deepEqual(again.map(shown), [
    ['survivor', `process ${stream}`, again[0]?.attributes['millrace.attempt'], false],
    ['survivor', `ack ${stream}`, undefined, false],
  ])
  for (const span of again) assert.deepEqual([span.parentId, span.links], [append, [append]])
})

test('a check-in that is pushed down goes on in its trace, also past the framework', async (t) => {
  const staged = await stage(t)
  const { env, otlp } = staged
  const processor = runMain(['group-processor', 'ada', '--otlp', otlp.url], { env })
  t.after(() => processor.kill('SIGKILL'))
  const sent = await staged.send(12)
  const spans = await otlp.ofTrace(sent.traceId, 3)
  const append = beginningOf(spans, sent)
  const folded = spans.find(({ kind }) => kind === 5)
  assert.equal(folded?.service, 'checkin-group-processor')
  assert.deepEqual([folded.parentId, folded.links], [append, [append]])
  assert.equal((await staged.redis.hash('ncc:users:12')).numCheckins, '1')
})

test('lines of the log say the trace that they are about, and what ends is sent', async (t) => {
  const staged = await stage(t, ['--access-log'])
  const sent = await staged.send(11)
  const line = await staged.receiver.waitForLine(/POST \/api\/checkin: 202/)
  const { trace_id: traceId, span_id: spanId } = JSON.parse(line) as Record<string, string>
  staged.receiver.kill()
  assert.equal((await staged.receiver.exited).code, 0)
  const spans = await staged.otlp.ofTrace(sent.traceId, 2)
  beginningOf(spans, sent)
  assert.equal(traceId, sent.traceId)
  assert.equal(spans.find(({ kind }) => kind === 2)?.spanId, spanId)
})

test('a collector that fails is said, and no check-in waits for it', async (t) => {
  const broken = await startOtlpReceiver(t, 400)
  const staged = await stage(t, ['--otlp', broken.url])
  await staged.send(11)
  await staged.receiver.waitForLine(/Traces cannot be sent/)
  await staged.send(12)
  staged.receiver.kill()
  assert.equal((await staged.receiver.exited).code, 0)
})

test('without a collector nothing is traced, and a wrong address is refused', async () => {
  const wrong = await runMain(['receiver', '--otlp', 'collector:4318']).exited
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /begins with http/)
})
