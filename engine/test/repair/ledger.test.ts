/** The ledger of a group: its counters balance, and it knows a group that was moved back. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MillraceError, type Handler } from 'millrace'
import { groupKeys, streamLedger } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

async function ledgerOf({ redis, visits }: Fixture): Promise<Record<string, string>> {
  const flat = (await redis.send('HGETALL', groupKeys(visits.key, 'desk').ledger)) as string[]
  const ledger: Record<string, string> = {}
  for (let at = 0; at < flat.length; at += 2) ledger[flat[at] ?? ''] = flat[at + 1] ?? ''
  // What sweeps note is tested by itself.
  delete ledger.pendingIds
  delete ledger.pendingUpTo
  return ledger
}

/** Applies so many visits in order and stops. */
async function applied(t: TestContext, fixture: Fixture, many: number): Promise<string[]> {
  const ids = await appendVisits(fixture, many)
  const { consumer } = startConsumer(t, fixture, 'one', { batch: 10 })
  await untilDrained(fixture)
  await consumer.stop()
  return ids
}

const isMoved = (error: unknown): boolean =>
  error instanceof MillraceError && error.code === 'GROUP_MOVED'

onEachServer('ledger', (bench) => {
  test('counts what is applied, made a dead letter, redriven, purged and trimmed', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group, millrace } = fixture
    await redis.send('XADD', visits.key, '1-0', 'guest', 'nobody')
    await redis.send('XADD', visits.key, '2-0', 'guest', 'nobody')
    await redis.send('XADD', visits.key, '3-0', 'guest', '1', 'room', '1', 'stars', '1')
    await readAndDie(fixture, 'dead', 3)
    await redis.send('XDEL', visits.key, '3-0')
    await redis.send('XADD', visits.key, '4-0', 'guest', '1', 'room', '1', 'stars', '1')
    startConsumer(t, fixture, 'one', { claimAfterMs: 40 })
    await untilDrained(fixture)
    const { since, definition, ...first } = await ledgerOf(fixture)
    assert.ok(Math.abs(Number(since) - Date.now()) < 60_000)
    const place = {
      skipped: '0',
      lettersFrom: '0-0',
      delivered: '4-0',
      firstPending: '',
      top: '4-0',
    }
    assert.deepEqual(first, { ...place, applied: '1', deadLettered: '3' })
    await group.deadLetters.redrive({ ids: ['1-0'] })
    await untilDrained(fixture)
    await group.deadLetters.purge({ all: true, reason: 'lost' })
    const counters = { applied: '1', deadLettered: '4', redriven: '1', purged: '1' }
    assert.deepEqual(await ledgerOf(fixture), { ...place, ...counters, since, definition })
    await millrace.trim(visits)
    assert.equal(await redis.send('HGET', streamLedger(visits.key), 'trimmed'), '2')
  })

  test('knows what a group skips that begins in the middle or at the end', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, millrace } = fixture
    await appendVisits(fixture, 5)
    await redis.send('XTRIM', visits.key, 'MAXLEN', '4')
    const skippedBy = async (name: string, from: string): Promise<unknown> => {
      await millrace.group(visits, name).create({ from })
      return await redis.send('HGET', groupKeys(visits.key, name).ledger, 'skipped')
    }
    assert.equal(await skippedBy('start', '0'), '1')
    assert.equal(await skippedBy('end', '$'), '5')
    assert.equal(await skippedBy('middle', '3-0'), '')
  })

  test('begins by itself in a group that redis-cli has made and worked on', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await redis.send('UNLINK', groupKeys(visits.key, 'desk').ledger)
    const ids = await appendVisits(fixture, 5)
    await readAndDie(fixture, 'cli', 2)
    await redis.send('XACK', visits.key, 'desk', ids[0] ?? '')
    await readAndDie(fixture, 'dead', 1)
    startConsumer(t, fixture, 'one', { claimAfterMs: 40 })
    await untilDrained(fixture)
    const { skipped, applied: count } = await ledgerOf(fixture)
    assert.deepEqual([skipped, count], ['1', '4'])
  })

  test('is no younger than the dead letters that it counts, so they can be redriven', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await redis.send('UNLINK', groupKeys(visits.key, 'desk').ledger)
    await redis.send('XADD', visits.key, '0-1', 'guest', 'nobody')
    await appendVisits(fixture, 999)
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.equal((await group.deadLetters.redrive({ all: true })).redriven, 1)
  })

  test('has not begun where only letters were purged', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await redis.send('DEL', visits.key, groupKeys(visits.key, 'desk').ledger)
    await redis.send('XADD', fixture.dead, '*', 'id', '1-0', 'reason', 'handler')
    assert.equal((await group.deadLetters.purge({ all: true })).purged, 1)
    assert.deepEqual(await group.create(), { created: true })
  })

  test('ends consumers of a group that was moved back, before anything counts twice', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await applied(t, fixture, 100)
    for (const moveBack of [
      ['SETID', visits.key, 'desk', '0'],
      ['SETID', visits.key, 'desk', '99-0'],
    ]) {
      await redis.send('XGROUP', ...moveBack)
      const { ended } = startConsumer(t, fixture, 'one')
      assert.ok(isMoved(await ended))
    }
    assert.deepEqual(await effects(fixture), { guests: 100, rooms: 100 })
  })

  test('ends a consumer that runs while the group is moved back', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 100)
    const { ended } = startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    await fixture.redis.send('XGROUP', 'SETID', fixture.visits.key, 'desk', '0')
    assert.ok(isMoved(await ended))
    assert.deepEqual(await effects(fixture), { guests: 100, rooms: 100 })
  })

  test('knows a group that was moved back past an entry that is pending for long', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 100)
    // A retry that waits: what lies after it is not known to be settled.
    const handler: Handler<VisitFields> = ({ id }) =>
      id === '1-0' ? { kind: 'retry', afterMs: 3_600_000 } : undefined
    const moveBack = async (): Promise<void> => {
      await redis.send('XGROUP', 'SETID', visits.key, 'desk', '50-0')
      await redis.send('XADD', visits.key, '*', 'guest', '1', 'room', '1', 'stars', '1')
    }
    const one = startConsumer(t, fixture, 'one', { handler })
    await waitFor(() => one.consumer.counts.applied === 99, { what: 'all but one' })
    await moveBack() // While it runs.
    assert.ok(isMoved(await one.ended))
    await redis.send('XGROUP', 'SETID', visits.key, 'desk', '50-0')
    assert.ok(isMoved(await startConsumer(t, fixture, 'two', { handler }).ended))
    assert.deepEqual(await effects(fixture), { guests: 99, rooms: 99 })
  })

  test('refuses a group that was destroyed and is created again', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await applied(t, fixture, 100)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const { ledger } = groupKeys(visits.key, 'desk')
    await redis.send('HINCRBY', ledger, 'applied', '108163')
    await assert.rejects(
      group.create(),
      (error) =>
        error instanceof MillraceError &&
        error.code === 'GROUP_LOST' &&
        error.message.includes('applied 108,263 entries, up to 100-0'),
    )
    await redis.send('HSET', ledger, 'applied', '100')
    assert.deepEqual(await redis.send('XINFO', 'GROUPS', visits.key), [])
    await redis.send('XGROUP', 'CREATE', visits.key, 'desk', '0')
    assert.ok(isMoved(await startConsumer(t, fixture, 'one').ended))
    assert.deepEqual(await effects(fixture), { guests: 100, rooms: 100 })
  })

  test('ends consumers when an acknowledged entry is made pending by force', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await applied(t, fixture, 100)
    await redis.send('XCLAIM', visits.key, 'desk', 'one', '0', '50-0', 'FORCE', 'JUSTID')
    assert.ok(isMoved(await startConsumer(t, fixture, 'one').ended))
    assert.deepEqual(await effects(fixture), { guests: 100, rooms: 100 })
  })

  test('is respected: nothing is applied when its key holds something else', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 3)
    await redis.send('UNLINK', groupKeys(visits.key, 'desk').ledger)
    await redis.send('SET', groupKeys(visits.key, 'desk').ledger, 'text')
    const error = await startConsumer(t, fixture, 'one', { mode: 'pull' }).ended
    assert.ok(error instanceof MillraceError && error.code === 'WRONG_TYPE')
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
    assert.equal((await fixture.group.describe()).lastDeliveredId, '0-0')
  })

  test('is not the only key that is left alone when it holds something else: a sweep removes only attempts', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const keys = groupKeys(visits.key, 'desk')
    await redis.send('SET', keys.attempts, 'mine')
    await redis.send('ZADD', keys.retries, '1', '1-0')
    startConsumer(t, fixture, 'one', { claimAfterMs: 40 })
    await waitFor(async () => (await redis.send('EXISTS', keys.retries)) === 0, {
      what: 'a sweep that cleans up',
    })
    assert.equal(await redis.send('GET', keys.attempts), 'mine')
  })

  test('survives what is delivered out of order by several consumers', async (t) => {
    const fixture = await freshGroup(bench())
    for (const name of ['a', 'b', 'c']) startConsumer(t, fixture, name, { batch: 7 })
    for (let round = 0; round < 10; round += 1) {
      const additions = Array.from({ length: 100 }, (_, n) => ({
        values: { guest: 1 + (n % 7), room: 1, stars: 1 },
      }))
      await fixture.millrace.appendMany(fixture.visits, additions)
    }
    await waitFor(() => fixture.group.isDrained(), { what: 'the group to be drained' })
    const { applied: count, firstPending } = await ledgerOf(fixture)
    assert.deepEqual([count, firstPending], ['1000', ''])
    assert.deepEqual(await effects(fixture), { guests: 1000, rooms: 1000 })
  })
})
