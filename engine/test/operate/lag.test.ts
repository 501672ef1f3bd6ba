/** The lag of a group is what is undelivered, whatever others did to the stream; and the server's own can be repaired. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { freshGroup, readAndDie, startConsumer, untilDrained, visit } from '../stage/fixture.ts'
import type { Fixture } from '../stage/fixture.ts'

async function append({ millrace, visits }: Fixture, many: number): Promise<void> {
  const additions = Array.from({ length: many }, (_, n) => ({ values: visit(n) }))
  await millrace.appendMany(visits, additions)
}

const lagOf = async ({ group }: Fixture): Promise<number | null> => (await group.describe()).lag

/** What XINFO GROUPS says. */
async function serverLagOf({ redis, visits }: Fixture): Promise<unknown> {
  const [flat = []] = (await redis.send('XINFO', 'GROUPS', visits.key)) as unknown[][]
  return flat[flat.indexOf('lag') + 1]
}

/** Makes the server say more than there is: on every version, unlike a trim. */
async function makePhantom({ redis, visits, group }: Fixture, read: number): Promise<void> {
  const { lastDeliveredId } = await group.describe()
  const setId = ['XGROUP', 'SETID', visits.key, 'desk', lastDeliveredId]
  await redis.send(...setId, 'ENTRIESREAD', String(read))
}

onEachServer('lag', (bench) => {
  test('is what is undelivered after a trim, a deletion and counters that were set by hand', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await append(fixture, 20)
    assert.equal(await lagOf(fixture), 20)
    await readAndDie(fixture, 'one', 5)
    assert.equal(await lagOf(fixture), 15)
    await redis.send('XTRIM', visits.key, 'MAXLEN', '=', '10')
    assert.equal(await lagOf(fixture), 10)
    await readAndDie(fixture, 'one', 10)
    assert.equal(await lagOf(fixture), 0)
    await append(fixture, 4)
    assert.equal(await lagOf(fixture), 4)
    const [[id] = ['']] = (await redis.send('XREVRANGE', visits.key, '+', '-', 'COUNT', '1')) as [
      string,
    ][]
    await redis.send('XDEL', visits.key, id)
    assert.equal(await lagOf(fixture), 3)
    await redis.send('XSETID', visits.key, '9999999999999-0', 'ENTRIESADDED', '5000')
    assert.equal(await lagOf(fixture), 3)
    await readAndDie(fixture, 'one', 3)
    assert.equal(await lagOf(fixture), 0)
    assert.equal(await fixture.group.isDrained(), false)
  })

  test('is believed where only our trimmer has removed entries, and counted from the near end elsewhere', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, millrace } = fixture
    await append(fixture, 500)
    const { consumer } = startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    await consumer.stop()
    await millrace.trim(visits, { keepEntries: 100 })
    await append(fixture, 12_000)
    assert.equal(await lagOf(fixture), 12_000)
    const [, [id] = ['']] = (await redis.send('XREVRANGE', visits.key, '+', '-', 'COUNT', '2')) as [
      string,
    ][]
    await redis.send('XDEL', visits.key, id)
    // Beyond what is counted after the last delivered one; before it, there are 100.
    assert.equal(await lagOf(fixture), 11_999)
  })

  test('that the server tells is repaired only when told to, and moves nothing', async (t) => {
    const fixture = await freshGroup(bench())
    const { group } = fixture
    await append(fixture, 10)
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.equal((await group.repairLag({ execute: true })).kind, 'same')
    await makePhantom(fixture, 3)
    assert.equal(await serverLagOf(fixture), 7)
    const told = { kind: 'differs', undelivered: 0, lagBefore: 7, lagAfter: null }
    assert.deepEqual(await group.repairLag(), told)
    assert.equal(await serverLagOf(fixture), 7)
    const before = await group.describe()
    const repaired = await group.repairLag({ execute: true })
    assert.deepEqual(repaired, { ...told, kind: 'repaired', lagAfter: 0 })
    const after = await group.describe()
    assert.equal(await serverLagOf(fixture), 0)
    assert.deepEqual([after.lastDeliveredId, after.lag], [before.lastDeliveredId, before.lag])
    await append(fixture, 5)
    await untilDrained(fixture)
    assert.equal((await group.balance()).unaccounted, 0)
  })

  test('that the server tells is repaired also where many entries wait', async () => {
    const fixture = await freshGroup(bench())
    await append(fixture, 10_600)
    await readAndDie(fixture, 'one', 100)
    await makePhantom(fixture, 30)
    const { kind, undelivered, lagAfter } = await fixture.group.repairLag({ execute: true })
    assert.deepEqual([kind, undelivered, lagAfter], ['repaired', 10_500, 10_500])
  })
})

onEachServer('account', (bench) => {
  test('takes what was lost, and letters that were deleted, only when told to', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await redis.send('XADD', visits.key, '1-0', 'guest', 'nobody')
    await redis.send('XADD', visits.key, '2-0', 'guest', 'nobody')
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    const { ledger, deadLetters } = groupKeys(visits.key, 'desk')
    await redis.send('DEL', deadLetters)
    await redis.send('HINCRBY', ledger, 'applied', '-3')
    assert.deepEqual(await group.acceptLoss(), { entries: 3, letters: 2, isAccepted: false })
    assert.equal((await group.balance()).unaccounted, 3)
    const accepted = { entries: 3, letters: 2, isAccepted: true }
    assert.deepEqual(await group.acceptLoss({ execute: true }), accepted)
    const nothing = { entries: 0, letters: 0, isAccepted: false }
    assert.deepEqual(await group.acceptLoss({ execute: true }), nothing)
    const { unaccounted, purged } = await group.balance()
    assert.deepEqual([unaccounted, purged], [0, 2])
    await redis.send('HSET', ledger, 'skipped', '')
    const isUntold = (error: unknown): boolean =>
      error instanceof MillraceError && error.code === 'REFUSED'
    await assert.rejects(group.acceptLoss({ execute: true }), isUntold)
  })
})
