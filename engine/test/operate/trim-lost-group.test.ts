/** Retention where a group was lost or moved: what it had not settled for certain stays, so that a recovery can deliver it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrimOptions } from 'millrace'
import { streamLedger } from 'millrace/operate'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import {
  appendVisits,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  visit,
  type Fixture,
} from '../stage/fixture.ts'
import { halfDone, ledgerKey } from '../stage/lost-group.ts'
import { kept, process, trim } from '../stage/retention.ts'

const named: TrimOptions = { groups: ['desk'] }

/** So many visits are settled, so many come after them that nobody was delivered. */
async function settledAndMore(
  t: Parameters<typeof startConsumer>[0],
  fixture: Fixture,
  settled: number,
  more: number,
): Promise<void> {
  await appendVisits(fixture, settled)
  const { consumer } = startConsumer(t, fixture, 'one')
  await untilDrained(fixture)
  await consumer.stop()
  const additions = Array.from({ length: more }, (_, n) => ({
    ...{ values: visit(n), id: `${settled + n + 1}-0` },
  }))
  await fixture.millrace.appendMany(fixture.visits, additions)
}

async function drainedBy(
  t: Parameters<typeof startConsumer>[0],
  fixture: Fixture,
  name: string,
): Promise<void> {
  const { consumer } = startConsumer(t, fixture, name, { claimAfterMs: 100 })
  await untilDrained(fixture)
  await consumer.stop()
}

onOldestAndNewest('trim of a stream', (bench) => {
  test('keeps what a lost group was not delivered, though others have processed it', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await settledAndMore(t, fixture, 20, 10)
    await redis.send('XGROUP', 'CREATE', visits.key, 'audit', '0')
    await process(fixture, 'audit', 30)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const holder = { kind: 'lost', group: 'desk', id: '20-0' }
    const explained = await trim(fixture, { ...named, dryRun: true })
    assert.ok(explained.kind === 'explained')
    assert.deepEqual([explained.removable, explained.holder], [19, holder])
    const outcome = await trim(fixture, named)
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual([outcome.removed, outcome.holder], [19, holder])
    await group.recover()
    await drainedBy(t, fixture, 'two')
    assert.deepEqual(await effects(fixture), { guests: 30, rooms: 30 })
    await trim(fixture, named)
    assert.deepEqual(await kept(fixture), [30])
  })

  test('keeps it where no other group is there', async (t) => {
    const fixture = await freshGroup(bench())
    await settledAndMore(t, fixture, 20, 10)
    await fixture.redis.send('XGROUP', 'DESTROY', fixture.visits.key, 'desk')
    assert.deepEqual(await trim(fixture), { kind: 'unread' })
    await trim(fixture, named)
    assert.equal((await kept(fixture)).length, 11)
  })

  test('keeps what was pending when the group was lost', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const outcome = await trim(fixture, named)
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual([outcome.removed, outcome.holder.id], [0, '1-0'])
    assert.equal((await group.recover()).lettersWritten, 10)
  })

  test('keeps all of a stream that was made anew, until the group is recovered', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await settledAndMore(t, fixture, 20, 0)
    await redis.send('DEL', visits.key)
    await appendVisits(fixture, 5)
    await redis.send('XGROUP', 'CREATE', visits.key, 'audit', '$')
    const outcome = await trim(fixture, named)
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual(outcome.holder, { kind: 'lost', group: 'desk', id: '0-0' })
    assert.equal((await kept(fixture)).length, 5)
  })

  for (const change of ['CREATE', 'SETID'] as const) {
    test(`keeps what a group was moved past by ${change}, unnamed too`, async (t) => {
      const fixture = await freshGroup(bench())
      const { redis, visits, group } = fixture
      await settledAndMore(t, fixture, 20, 10)
      if (change === 'CREATE') await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
      await redis.send('XGROUP', change, visits.key, 'desk', '$')
      const outcome = await trim(fixture)
      assert.ok(outcome.kind === 'trimmed')
      const holder = { kind: 'unaccounted', group: 'desk', id: '20-0' }
      assert.deepEqual([outcome.removed, outcome.holder], [19, holder])
      await group.recover()
      await drainedBy(t, fixture, 'two')
      assert.deepEqual(await effects(fixture), { guests: 30, rooms: 30 })
      await trim(fixture)
      assert.deepEqual(await kept(fixture), [30])
    })
  }

  test('keeps pending entries that were dropped with their consumer', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await halfDone(t, fixture)
    await redis.send('XGROUP', 'DELCONSUMER', visits.key, 'desk', 'dead')
    const outcome = await trim(fixture)
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual(
      [outcome.removed, outcome.holder],
      [0, { kind: 'unaccounted', group: 'desk', id: '1-0' }],
    )
    assert.equal((await group.recover()).lettersWritten, 10)
  })

  test('is held by no ledger where all is in order, nor by a group whose name is none of ours', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await settledAndMore(t, fixture, 30, 0)
    const create = "return redis.call('XGROUP', 'CREATE', KEYS[1], 'no text \\255', '$')"
    await redis.send('EVAL', create, '1', visits.key)
    const outcome = await trim(fixture, named)
    assert.ok(outcome.kind === 'trimmed')
    assert.deepEqual([outcome.removed, outcome.holder.kind], [29, 'last-delivered'])
    assert.equal((await redis.hash(streamLedger(visits.key))).trimmed, '29')
  })

  test('keeps everything where the ledger has a place that is no id', async (t) => {
    for (const place of ['top', 'firstPending']) {
      const fixture = await freshGroup(bench())
      await settledAndMore(t, fixture, 5, 0)
      await fixture.redis.send('HSET', ledgerKey(fixture), place, 'x')
      const outcome = await trim(fixture)
      assert.ok(outcome.kind === 'trimmed')
      // The top alone says how far the group has got.
      const expected = place === 'top' ? [0, 'unaccounted'] : [4, 'last-delivered']
      assert.deepEqual([outcome.removed, outcome.holder.kind], expected)
    }
  })

  test('tells of a ledger of another type, and removes nothing', async (t) => {
    const fixture = await freshGroup(bench())
    await settledAndMore(t, fixture, 3, 0)
    await fixture.redis.send('SET', ledgerKey(fixture), 'text')
    await assert.rejects(trim(fixture), { code: 'WRONG_TYPE' })
    assert.equal((await kept(fixture)).length, 3)
  })
})
