/** Leases: a name has one living holder; what a dead one held is claimed, and nothing is claimed from the living. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { thisProcess } from '../../src/support/process-identity.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { inBothModes } from '../stage/both-modes.ts'
import {
  appendVisits,
  effects,
  freshGroup,
  readAndDie,
  untilDrained,
  visit,
  type Fixture,
} from '../stage/fixture.ts'

const codeOf = (error: unknown): string | undefined =>
  error instanceof MillraceError ? error.code : undefined

inBothModes('lease', (bench, startConsumer) => {
  test('keeps a second process from a living name, and says who has it', async (t) => {
    const fixture = await freshGroup(bench())
    startConsumer(t, fixture, 'one')
    await untilAlive(fixture, 'one')
    const second = fixture.group.consumer('one', { projections: [fixture.guests] })
    await assert.rejects(second.run(), (error) => {
      assert.equal(codeOf(error), 'NAME_TAKEN')
      assert.match(String(error), new RegExp(`process ${process.pid} on ${hostname()} since 20`))
      return true
    })
  })

  test('ends with the consumer, so that the name is free at once', async (t) => {
    const fixture = await freshGroup(bench())
    const { consumer } = startConsumer(t, fixture, 'one')
    await untilAlive(fixture, 'one')
    await consumer.stop()
    const again = startConsumer(t, fixture, 'one')
    await untilAlive(fixture, 'one')
    await appendVisits(fixture, 3)
    await untilDrained(fixture)
    await again.consumer.stop()
    assert.equal(again.consumer.counts.applied, 3)
  })

  test('of a process of this machine that is gone is taken over without waiting', async (t) => {
    const fixture = await freshGroup(bench())
    const gone = spawn(process.execPath, ['-e', ''])
    await once(gone, 'exit')
    const dead = { ...thisProcess(), pid: gone.pid, startedAt: '1' }
    await holdAs(fixture, 'one', { token: 'x', host: hostname(), since: 'then', ...dead })
    startConsumer(t, fixture, 'one')
    await appendVisits(fixture, 3)
    await untilDrained(fixture)
  })

  test('that another process took over stops the consumer, which applies nothing more', async (t) => {
    const fixture = await freshGroup(bench())
    const { consumer, ended } = startConsumer(t, fixture, 'one', { claimAfterMs: 60_000 })
    await untilAlive(fixture, 'one')
    await holdAs(fixture, 'one', { token: 'y', host: 'elsewhere', pid: 7, since: 'now' })
    await appendVisits(fixture, 5)
    const error = await within(ended, { what: 'the consumer to stop' })
    assert.equal(codeOf(error), 'SUPERSEDED')
    assert.equal(consumer.counts.applied, 0)
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
    const holder = String(await fixture.redis.send('HGET', keysOf(fixture).holders, 'one'))
    assert.match(holder, /elsewhere/)
  })

  test('that went away with nobody taking it is taken again', async (t) => {
    const fixture = await freshGroup(bench())
    const { consumer } = startConsumer(t, fixture, 'one', { claimAfterMs: 60_000 })
    await untilAlive(fixture, 'one')
    await fixture.redis.send('DEL', keysOf(fixture).leases, keysOf(fixture).holders)
    await appendVisits(fixture, 5)
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.applied, 5)
  })

  test('that ran out frees the entries at once, however young they are', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1200)
    await readAndDie(fixture, 'doomed', 1200)
    await holdAs(fixture, 'doomed', { token: 'z', host: 'elsewhere', pid: 7, since: 'then' }, 300)
    const { consumer } = startConsumer(t, fixture, 'survivor', { claimAfterMs: 3_600_000 })
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.claimed, 1200)
    assert.deepEqual(await effects(fixture), { guests: 1200, rooms: 1200 })
  })

  test('that runs keeps the entries, however old they are', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'slow', 10)
    await holdAs(fixture, 'slow', { token: 'z', host: 'elsewhere', pid: 7, since: 'then' }, 60_000)
    const survivor = startConsumer(t, fixture, 'survivor', { claimAfterMs: 40 })
    await fixture.millrace.append(fixture.visits, visit(1))
    await waitFor(() => survivor.consumer.counts.applied === 1, { what: 'the new entry' })
    const age = async (): Promise<number> => {
      const rows = await fixture.redis.send('XPENDING', fixture.visits.key, 'desk', '-', '+', '1')
      return Number((rows as [string, string, number][])[0]?.[2])
    }
    await waitFor(async () => (await age()) > 400, { what: 'ten claim times' })
    assert.equal(survivor.consumer.counts.claimed, 0)
  })

  test('whose holder crashed elsewhere is waited for, and then taken', async (t) => {
    const fixture = await freshGroup(bench())
    await holdAs(fixture, 'one', { token: 'x', host: 'elsewhere', pid: 1, since: 'then' }, -300)
    startConsumer(t, fixture, 'one')
    await appendVisits(fixture, 3)
    await untilDrained(fixture)
  })

  test('given before the clock was set back does not count, nor does a turn', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 5)
    await readAndDie(fixture, 'doomed', 5)
    const holder = { token: 'z', host: 'elsewhere', pid: 7, since: 'then', leaseMs: 1000 }
    await holdAs(fixture, 'doomed', holder, 3_600_000)
    await fixture.redis.send('ZADD', keysOf(fixture).leases, 9e12, '@sweep')
    const { consumer } = startConsumer(t, fixture, 'survivor', { claimAfterMs: 200 })
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.claimed, 5)
  })

  test('of our own name covers entries that we do not know of: they are looked for', async (t) => {
    const fixture = await freshGroup(bench())
    const { consumer } = startConsumer(t, fixture, 'one', { claimAfterMs: 200 })
    await untilAlive(fixture, 'one')
    // As if the reply to a claim had been lost: pending for a living name, and nobody has them in flight.
    const appendAndRead = `
      redis.call('XADD', KEYS[1], '*', 'guest', 1, 'room', 1, 'stars', 1)
      return redis.call('XREADGROUP', 'GROUP', 'desk', 'one', 'STREAMS', KEYS[1], '>')`
    await fixture.redis.send('EVAL', appendAndRead, '1', fixture.visits.key)
    await waitFor(() => consumer.counts.applied === 1, { what: 'the stray' })
    await untilDrained(fixture)
  })

  test('of many short lives leaves only the living names in the group', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const names = Array.from({ length: 3000 }, (_, at) => `life${at}`)
    await Promise.all(
      names.map((name) => redis.send('XGROUP', 'CREATECONSUMER', visits.key, 'desk', name)),
    )
    await appendVisits(fixture, 2)
    await readAndDie(fixture, 'life7', 2)
    const options = { claimAfterMs: 40, removeAfterMs: 0 }
    startConsumer(t, fixture, 'living', options)
    await waitFor(async () => (await fixture.group.describe()).consumers.length === 1, {
      what: 'the dead names to go',
    })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 2, rooms: 2 })
    assert.deepEqual(
      (await fixture.group.roster()).map(({ name, state }) => [name, state]),
      [['living', 'alive']],
    )
  })
})

inBothModes('removal of a consumer', (bench, startConsumer) => {
  test('is refused while its lease runs', async (t) => {
    const fixture = await freshGroup(bench())
    startConsumer(t, fixture, 'one')
    await untilAlive(fixture, 'one')
    await fixture.millrace.append(fixture.visits, visit(1))
    await untilDrained(fixture)
    await assert.rejects(fixture.group.removeConsumer('one'), (error) => {
      assert.equal(codeOf(error), 'CONSUMER_ALIVE')
      return true
    })
    await assert.rejects(fixture.group.removeConsumer('nobody'), (error) => {
      assert.equal(codeOf(error), 'NO_CONSUMER')
      return true
    })
  })

  test('moves what is pending, so that all of it takes effect', async (t) => {
    const fixture = await freshGroup(bench())
    const ids = await appendVisits(fixture, 1300)
    await readAndDie(fixture, 'doomed', 1300)
    await fixture.redis.send('XDEL', fixture.visits.key, ids[4] ?? '')
    assert.equal(await fixture.group.removeConsumer('doomed'), 1299)
    await assert.rejects(fixture.group.removeConsumer('unassigned'), /it only parks entries/)
    const { consumers, pending } = await fixture.group.describe()
    assert.equal(pending, 1299)
    assert.deepEqual(
      consumers.map(({ name }) => name),
      ['unassigned'],
    )
    startConsumer(t, fixture, 'survivor', { claimAfterMs: 100 })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 1299, rooms: 1299 })
    assert.equal((await fixture.group.describe()).deadLetters, 1)
    await waitFor(
      async () =>
        (await fixture.group.describe()).consumers.every(({ name }) => name === 'survivor'),
      { what: 'the parking consumer to go' },
    )
  })
})

const keysOf = ({ visits }: Fixture) => groupKeys(visits.key, 'desk')

/** Writes a lease as another process would. */
async function holdAs(
  fixture: Fixture,
  name: string,
  holder: Record<string, unknown>,
  forMs = 60_000,
): Promise<void> {
  const [seconds] = (await fixture.redis.send('TIME')) as string[]
  const { leases, holders } = keysOf(fixture)
  await fixture.redis.send('ZADD', leases, Number(seconds) * 1000 + 1000 + forMs, name)
  const record = JSON.stringify({ leaseMs: forMs + 2000, ...holder })
  await fixture.redis.send('HSET', holders, name, record)
}

async function untilAlive({ redis, visits }: Fixture, name: string): Promise<void> {
  const { leases } = groupKeys(visits.key, 'desk')
  await waitFor(() => redis.send('ZSCORE', leases, name), { what: `the lease of ${name}` })
}
