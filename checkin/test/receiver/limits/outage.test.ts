import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { receiverStage, valid, type Answer, type Stage } from '../../stage/receiver-stage.ts'

const notRecorded = '/problems/unavailable'
const unknown = '/problems/outcome-unknown'

function assertUnavailable(answer: Answer, type: string, detail?: RegExp): void {
  assert.equal(answer.status, 503, answer.text)
  assert.equal(answer.json?.type, type)
  assert.match(answer.headers.get('retry-after') ?? '', /^[123]$/)
  if (detail !== undefined) assert.match(answer.json.detail ?? '', detail)
  assert.doesNotMatch(answer.text, /[Rr]edis|127\.0\.0\.1|OOM|BUSY|READONLY|NOREPL|XADD/)
}

/** Waits until check-ins are taken again, and returns the answer that says so. */
function recovered({ post }: Stage): Promise<Answer> {
  const taken = async (): Promise<Answer | undefined> => {
    const answer = await post(valid)
    return answer.status === 202 ? answer : undefined
  }
  return waitFor(taken, { what: 'a check-in to be taken again' })
}

test('while Redis is dead, all is answered with 503, and it goes on by itself', async (t) => {
  const stage = await receiverStage(t, { redis: { appendonly: 'always' } })
  const { server, post, get } = stage
  const first = await post(valid)
  await server.kill9()
  const whileDown = await waitFor(
    async () => {
      const answer = await post(valid)
      return answer.json?.type === notRecorded ? answer : undefined
    },
    { what: 'the loss to be noticed' },
  )
  assertUnavailable(whileDown, notRecorded, /cannot be reached\. The check-in was not recorded/)
  assertUnavailable(await get('/api/users/1'), notRecorded, /^The store cannot be reached$/)
  const health = await get('/health')
  assert.equal(health.status, 503)
  assert.deepEqual(health.json, {
    status: 'unavailable',
    redis: 'unreachable',
    durability: 'unknown',
    waitReplicas: 0,
  })
  await server.restart()
  const later = await recovered(stage)
  assert.equal((await get('/health')).status, 200)
  const ids = await (await server.client()).send('XRANGE', 'ncc:checkins', '-', '+')
  assert.deepEqual(
    (ids as [string][]).map(([id]) => id),
    [first.json?.id, later.json?.id],
  )
})

test('a Redis that is killed under load leaves an entry for every 202', async (t) => {
  const stage = await receiverStage(t, { redis: { appendonly: 'always' } })
  const { server, post, appendsBegun } = stage
  const taken: (string | undefined)[] = []
  let isOver = false
  const client = async (): Promise<void> => {
    while (!isOver) {
      const answer = await post(valid)
      if (answer.status === 202) taken.push(answer.json?.id)
      else assert.equal(answer.status, 503)
    }
  }
  const clients = Array.from({ length: 8 }, client)
  for (let round = 1; round <= 3; round += 1) {
    const before = taken.length
    await waitFor(() => taken.length > before + 50, { what: 'check-ins to be taken' })
    await server.kill9()
    const begun = appendsBegun()
    await waitFor(() => appendsBegun() > begun + 20, { what: 'check-ins to be refused' })
    await server.restart()
  }
  await recovered(stage)
  isOver = true
  await Promise.all(clients)
  const entries = await (await server.client()).send('XRANGE', 'ncc:checkins', '-', '+')
  const ids = new Set((entries as [string][]).map(([id]) => id))
  assert.deepEqual(
    taken.filter((id) => !ids.has(id ?? '')),
    [],
  )
})

test('a frozen Redis is answered with "outcome unknown", and the entry may come later', async (t) => {
  const stage = await receiverStage(t, { bounds: { withinMs: 100 } })
  const { server, post, get, redis } = stage
  server.pause()
  assertUnavailable(await post(valid), unknown, /It may have been recorded/)
  assertUnavailable(await get('/api/checkins/latest'), notRecorded, /did not answer in time/)
  assert.equal((await get('/health')).status, 503)
  server.resume()
  await waitFor(async () => (await redis.send('XLEN', 'ncc:checkins')) === 1, {
    what: 'the late entry',
  })
  assert.equal((await recovered(stage)).status, 202)
})

test('no more requests wait for a frozen Redis than allowed', async (t) => {
  const stage = await receiverStage(t, { bounds: { inFlightMax: 5, withinMs: 60_000 } })
  const { server, post, appendsBegun } = stage
  server.pause()
  const waiting = Array.from({ length: 5 }, () => post(valid))
  await waitFor(() => appendsBegun() === 5, { what: 'five requests to wait' })
  assertUnavailable(await post(valid), notRecorded, /Too many requests/)
  assert.equal(appendsBegun(), 5)
  server.resume()
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ status }) => status),
    [202, 202, 202, 202, 202],
  )
  assert.equal((await post(valid)).status, 202)
})

test('calls that were given up still count until the engine has settled them', async (t) => {
  const { server, post } = await receiverStage(t, { bounds: { inFlightMax: 2, withinMs: 50 } })
  server.pause()
  const answers = [await post(valid), await post(valid), await post(valid)]
  assert.deepEqual(
    answers.map(({ json }) => json?.type),
    [unknown, unknown, notRecorded],
  )
})

test('a reply that is lost is answered with "outcome unknown"; nothing is sent twice', async (t) => {
  const stage = await receiverStage(t)
  const { proxy, post, redis } = stage
  proxy.cutBeforeReply('XADD')
  assertUnavailable(await post(valid), unknown)
  assert.equal(proxy.cuts, 1)
  assert.equal(await redis.send('XLEN', 'ncc:checkins'), 1)
  await recovered(stage)
  assert.equal(await redis.send('XLEN', 'ncc:checkins'), 2)
})

const faults: Record<string, { begin: string[]; end: string[]; detail: RegExp }> = {
  full: {
    begin: ['CONFIG', 'SET', 'maxmemory', '1'],
    end: ['CONFIG', 'SET', 'maxmemory', '0'],
    detail: /The store is full\. The check-in was not recorded/,
  },
  'read-only': {
    begin: ['REPLICAOF', '127.0.0.1', '1'],
    end: ['REPLICAOF', 'NO', 'ONE'],
    detail: /takes no writes/,
  },
  'without replicas': {
    begin: ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
    end: ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
    detail: /is busy/,
  },
}

for (const [name, { begin, end, detail }] of Object.entries(faults)) {
  test(`a Redis that is ${name} is answered with 503 and left as it is`, async (t) => {
    const stage = await receiverStage(t)
    const { post, redis } = stage
    await redis.send(...begin)
    assertUnavailable(await post(valid), notRecorded, detail)
    await redis.send(...end)
    await recovered(stage)
    assert.equal(await redis.send('XLEN', 'ncc:checkins'), 1)
  })
}

test('a Redis that runs a long script is answered with 503 until the script ends', async (t) => {
  const stage = await receiverStage(t)
  const { post, redis, get, server } = stage
  await redis.send('CONFIG', 'SET', 'busy-reply-threshold', '10')
  const script = redis.send('EVAL', 'while true do end', 0).catch(String)
  const killer = await server.client()
  const refused = await waitFor(
    async () => {
      const answer = await post(valid)
      return answer.status === 503 ? answer : undefined
    },
    { what: 'the script to be noticed' },
  )
  assertUnavailable(refused, notRecorded, /is busy/)
  assert.equal((await get('/health')).status, 503)
  await killer.send('SCRIPT', 'KILL')
  assert.match(String(await script), /killed/)
  await recovered(stage)
})

test('a key of another type is our fault, and only the log says what it is', async (t) => {
  const { post, get, redis, lines } = await receiverStage(t)
  await redis.send('SET', 'ncc:checkins', 'x')
  await redis.send('SET', 'ncc:users:1', 'x')
  for (const answer of [await post(valid), await get('/api/users/1')]) {
    assert.equal(answer.status, 500)
    assert.doesNotMatch(answer.text, /WRONGTYPE|ncc/)
  }
  assert.match(lines.join('\n'), /WRONGTYPE/)
})

test('an outage is a line in the log, not a line for each request', async (t) => {
  const { post, redis, lines } = await receiverStage(t)
  await redis.send('CONFIG', 'SET', 'maxmemory', '1')
  for (let request = 1; request <= 20; request += 1) await post(valid)
  assert.equal(lines.filter((line) => line.startsWith('Answering with 503')).length, 1)
})

test('an idle receiver at a replica is not ready, says so, and is ready when that is over', async (t) => {
  const { redis, get, post } = await receiverStage(t)
  await redis.send('REPLICAOF', '127.0.0.1', '1')
  assert.equal((await get('/readyz')).status, 503)
  const health = await get('/health')
  assert.equal(health.status, 503)
  assert.equal((health.json as { redis?: string } | undefined)?.redis, 'not-writable')
  const gauge = (await get('/metrics')).text
  assert.match(gauge, /checkin_redis_unavailable\{reason="refusing"\} 1/)
  await redis.send('REPLICAOF', 'NO', 'ONE')
  const ready = async (): Promise<boolean> => (await get('/readyz')).status === 200
  await waitFor(ready, { what: 'the receiver to be ready' })
  assert.equal((await post(valid)).status, 202)
  assert.match((await get('/metrics')).text, /checkin_redis_unavailable\{reason="refusing"\} 0/)
})
