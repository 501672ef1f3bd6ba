/** Redis fails while check-ins pour in: every answer is in time, every 202 is kept, and it goes on by itself within 5 s. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { receiverStage, request, valid, type Stage } from '../../stage/receiver-stage.ts'

const init = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(valid),
}

interface Outage {
  readonly begin: (stage: Stage) => unknown
  readonly end: (stage: Stage) => unknown
}

const config =
  (...args: string[]) =>
  ({ redis }: Stage) =>
    redis.send('CONFIG', 'SET', ...args)

const outages: Record<string, Outage> = {
  frozen: { begin: ({ server }) => server.pause(), end: ({ server }) => server.resume() },
  stopped: { begin: ({ server }) => server.kill9(), end: ({ server }) => server.restart() },
  'restarting at once': { begin: ({ server }) => server.restart(), end: () => undefined },
  full: { begin: config('maxmemory', '1'), end: config('maxmemory', '0') },
  'read-only': {
    begin: ({ redis }) => redis.send('REPLICAOF', '127.0.0.1', '1'),
    end: ({ redis }) => redis.send('REPLICAOF', 'NO', 'ONE'),
  },
}

for (const [name, { begin, end }] of Object.entries(outages)) {
  test(`Redis is ${name} under load`, async (t) => {
    const stage = await receiverStage(t, {
      redis: { appendonly: 'always' },
      bounds: { withinMs: 300, inFlightMax: 500 },
    })
    const taken: string[] = []
    let refused = 0
    let isOver = false
    const client = async (): Promise<void> => {
      while (!isOver) {
        const { status, json } = await request(`${stage.url}/api/checkin`, init)
        if (status === 202) taken.push(json?.id ?? '')
        else {
          assert.equal(status, 503)
          refused += 1
        }
      }
    }
    const clients = Promise.all(Array.from({ length: 32 }, client))
    await waitFor(() => taken.length > 200, { what: '200 check-ins' })
    const memoryBefore = process.memoryUsage().rss
    await begin(stage)
    if (name !== 'restarting at once') {
      await waitFor(() => refused > 500, { what: '500 refusals', timeoutMs: 20_000 })
      const growth = process.memoryUsage().rss - memoryBefore
      assert.ok(growth < 150e6, `memory grew by ${Math.round(growth / 1e6)} MB`)
      await end(stage)
    }
    const before = taken.length
    await waitFor(() => taken.length > before, { what: 'check-ins again', timeoutMs: 5000 })
    isOver = true
    await clients
    const redis = await stage.server.client()
    const entries = (await redis.send('XRANGE', 'ncc:checkins', '-', '+')) as [string][]
    const ids = new Set(entries.map(([id]) => id))
    assert.deepEqual(
      taken.filter((id) => !ids.has(id)),
      [],
    )
  })
}
