/** Roles of a consumer amid failures, and while there is nothing to do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { MillraceError, type ConsumerOptions, type Outcome } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

/** A consumer whose handlers all have begun. They end together, in the order of their entries. */
async function handling(
  t: TestContext,
  fixture: Fixture,
  many: number,
  options: ConsumerOptions<VisitFields> & { readonly decide?: (id: string) => Outcome | undefined },
) {
  await appendVisits(fixture, many)
  const { decide, ...others } = options
  const end = new AbortController()
  const isOver = once(end.signal, 'abort')
  t.after(() => end.abort())
  let begun = 0
  const started = startConsumer(t, fixture, 'one', {
    ...others,
    concurrency: many,
    handler: async ({ id }) => {
      begun += 1
      await isOver
      return decide?.(id)
    },
  })
  await waitFor(() => begun === many, { what: 'all handlers to begin' })
  return { ...started, release: () => end.abort() }
}

onOldestAndNewest('the applier', (bench) => {
  test('applies nothing behind a batch that failed', async (t) => {
    const fixture = await freshGroup(bench())
    await fixture.redis.send('SET', fixture.dead, 'text')
    const decide = (id: string): Outcome | undefined =>
      id === '1-0' ? { kind: 'dead-letter', reason: 'has no place' } : undefined
    const { consumer, ended, release } = await handling(t, fixture, 20, { batch: 1, decide })
    release()
    const error = await within(ended, { what: 'the consumer to end' })
    assert.ok(error instanceof MillraceError && error.code === 'WRONG_TYPE', String(error))
    // The second batch was on its way already.
    assert.equal(consumer.counts.applied, 1)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
  })
})

onOldestAndNewest('a consumer', (bench) => {
  for (const [mode, command] of [
    ['pull', 'xreadgroup'],
    ['push-down', 'xread'],
  ] as const) {
    test(`waits in the server for the first entry of an empty group, by ${mode}`, async (t) => {
      const fixture = await freshGroup(bench())
      const name = `only-${fixture.prefix}`
      startConsumer(t, fixture, name, { mode })
      const isWaiting = async (): Promise<boolean> => {
        const clients = String(await fixture.redis.send('CLIENT', 'LIST', 'TYPE', 'NORMAL'))
        const line = clients.split('\n').find((each) => each.includes(`name=millrace:${name} `))
        return / flags=b .* cmd=(\w+) /.exec(line ?? '')?.[1] === command
      }
      await waitFor(isWaiting, { what: 'the consumer to wait', timeoutMs: 10_000 })
    })
  }

  test('renews its lease as soon as an outage is over', async (t) => {
    const direct = await freshGroup(bench())
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const millrace = await connectFor(t, { url: proxy.url })
    const group = millrace.group(direct.visits, 'desk')
    // A lease of 12 s, renewed every 4 s.
    startConsumer(t, { ...direct, group }, 'one', { claimAfterMs: 16_000 })
    const { leases } = groupKeys(direct.visits.key, 'desk')
    const ends = async () => Number(await direct.redis.send('ZSCORE', leases, 'one'))
    await waitFor(ends, { what: 'the lease' })
    proxy.cutAmid('request', /\$5\r\nrenew/, 0)
    await waitFor(() => proxy.cuts === 1, { what: 'the first renewal' })
    const before = await ends()
    await waitFor(async () => (await ends()) > before, { what: 'the next one' })
    const later = (await ends()) - before
    assert.ok(later < 7000, `renewed ${later} ms later, which is a turn that was left out`)
  })
})

// Its own server: it refuses all writes for a moment.
onOldestAndNewest('the applier of a server that is busy', (bench) => {
  test('asks again, and does not leave entries to those who look for strays', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis } = fixture
    const { release } = await handling(t, fixture, 3, { claimAfterMs: 600_000 })
    const refusals = async (): Promise<number> => {
      const errors = String(await redis.send('INFO', 'errorstats'))
      return Number(/NOREPLICAS:count=(\d+)/.exec(errors)?.[1] ?? 0)
    }
    await redis.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
    release()
    await waitFor(async () => (await refusals()) >= 2, { what: 'refusals', everyMs: 1 })
    await redis.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
  })
})
