/** The next attempt at an entry: when it is not taken, and that it is scheduled all the same. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { MillraceError, type ConsumerOptions } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { InFlight } from '../../src/apply/in-flight.ts'
import { Retries } from '../../src/handle/retries.ts'
import { PauseSwitch } from '../../src/support/pause-switch.ts'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { openConnection } from '../stage/connections.ts'
import {
  appendVisits,
  freshGroup,
  startConsumer,
  untilDrained,
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

const keysOf = ({ visits }: Fixture) => groupKeys(visits.key, 'desk')

/** A consumer amid its first attempt at an entry, which asks for another one when it is let go on. */
async function amidAttempt(
  t: TestContext,
  fixture: Fixture,
  afterMs: number,
  options: ConsumerOptions<VisitFields> = {},
) {
  await appendVisits(fixture, 1)
  const end = new AbortController()
  const isOver = once(end.signal, 'abort')
  t.after(() => end.abort())
  const attempts: number[] = []
  const { consumer } = startConsumer(t, fixture, 'one', {
    ...options,
    handler: async (_entry, { attempt }) => {
      attempts.push(attempt)
      await isOver
      return attempt === 1 ? { kind: 'retry', afterMs } : undefined
    },
  })
  await waitFor(() => attempts.length === 1, { what: 'the first attempt' })
  const goOn = async (): Promise<void> => {
    end.abort()
    await waitFor(() => consumer.counts.retried === 1, { what: 'the retry', timeoutMs: 10_000 })
  }
  return { attempts, goOn }
}

onOldestAndNewest('the next attempt', (bench) => {
  test('is not taken while the consumer is paused', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, group } = fixture
    let isPaused = false
    const observer = { paused: (now: boolean) => void (isPaused = now) }
    const options = { claimAfterMs: 400, observer }
    const { attempts, goOn } = await amidAttempt(t, fixture, 1, options)
    await group.pause()
    await waitFor(() => isPaused, { what: 'the consumer to be paused' })
    await goOn()
    const leaseEnds = async () => Number(await redis.send('ZSCORE', keysOf(fixture).leases, 'one'))
    // It was due long ago when the lease has been renewed twice.
    for (const what of ['a renewal', 'the next one']) {
      const last = await leaseEnds()
      await waitFor(async () => (await leaseEnds()) > last, { what })
    }
    // It is left to whoever is not paused.
    const { consumers } = await group.describe()
    const held = consumers.filter(({ pending }) => pending > 0).map(({ name }) => name)
    assert.deepEqual(held, ['retry'])
    await group.resume()
    await untilDrained(fixture)
    assert.deepEqual(attempts, [1, 2])
  })

  test('is scheduled although the lease went away, which is taken again for that', async (t) => {
    const fixture = await freshGroup(bench())
    const { leases, holders, retries } = keysOf(fixture)
    const { goOn } = await amidAttempt(t, fixture, 3_600_000, { claimAfterMs: 60_000 })
    await fixture.redis.send('DEL', leases, holders)
    await goOn()
    assert.equal(await fixture.redis.send('ZCARD', retries), 1)
    assert.ok(await fixture.redis.send('HGET', holders, 'one'))
  })

  test('may be due later than a timer of Node reaches', async (t) => {
    const fixture = await freshGroup(bench())
    const warnings: string[] = []
    const listen = ({ name }: Error): void => void warnings.push(name)
    process.on('warning', listen)
    t.after(() => process.off('warning', listen))
    const { goOn, attempts } = await amidAttempt(t, fixture, 2 ** 31)
    await goOn()
    await setImmediate()
    // A timer that is too long fires at once, and again and again.
    assert.deepEqual(warnings, [])
    assert.deepEqual(attempts, [1])
  })

  test('is looked for again after a lost reply; a key of another type is told at once', async (t) => {
    const fixture = await freshGroup(bench())
    const { signal } = new AbortController()
    const keys = keysOf(fixture)
    await fixture.redis.send('SET', keys.retries, 'text')
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const connection = await openConnection(t, proxy.url)
    proxy.cutBeforeReply(keys.retries)
    const nothing = (): void => undefined
    const asked = new Promise((told) => {
      new Retries({
        ...{ connection, keys, signal, pause: new PauseSwitch(), inFlight: new InFlight(10) },
        who: { group: 'desk', consumer: 'one', token: 'token' },
        ...{ onScheduled: nothing, onDue: nothing, onSuperseded: nothing, onLost: nothing },
        renewLease: () => Promise.resolve(),
        onFailure: told,
      }).wakeIn(0)
    })
    const told = await within(asked, { what: 'the failure to be told' })
    assert.equal(proxy.cuts, 1)
    assert.ok(told instanceof MillraceError && told.code === 'WRONG_TYPE', String(told))
  })
})
