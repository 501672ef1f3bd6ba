/** What the gates check before their first write, each in the state that the check is for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Settled } from '../../src/apply/settled.ts'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { appendVisits, effects, readAndDie } from '../stage/fixture.ts'
import { guardStage, settledVisits, type GuardStage } from '../stage/guard-stage.ts'

const letter = (id: string): Settled => ({
  kind: 'dead-letter',
  id,
  reason: 'handler',
  error: 'no',
})

/** So many visits, pending for `one`. */
async function pendingVisits(stage: GuardStage, many: number): Promise<string[]> {
  const ids = await appendVisits(stage, many)
  await readAndDie(stage, 'one', many)
  return ids
}

onOldestAndNewest('the gate of a group', (bench) => {
  test('lets nobody through whose name another process has by now', async (t) => {
    const stage = await guardStage(t, bench())
    await pendingVisits(stage, 3)
    await stage.hold('one', 'of its successor', 60_000)
    const answer = await stage.unchanged(() => stage.calls.gate('one', settledVisits(3), 'old'))
    assert.deepEqual(answer, { kind: 'superseded' })
    await stage.redis.send('HDEL', stage.keys.holders, 'one')
    const gone = await stage.unchanged(() => stage.calls.gate('one', settledVisits(3), 'old'))
    assert.deepEqual(gone, { kind: 'superseded' })
    await stage.hold('one', 'ours', 60_000)
    assert.equal((await stage.calls.gate('one', settledVisits(3), 'ours')).kind, 'applied')
  })

  test('asks for each id: another pending one does not stand in for one that is gone', async (t) => {
    const stage = await guardStage(t, bench())
    await pendingVisits(stage, 3)
    await stage.redis.send('XACK', stage.keys.stream, 'desk', '3-0')
    // Two ids, and two that are pending from the first one on.
    const [first, , third] = settledVisits(3)
    assert.ok(first !== undefined && third !== undefined)
    const answer = await stage.unchanged(() => stage.calls.gate('one', [first, third]))
    assert.deepEqual(answer, { kind: 'gone', still: new Set(['1-0']) })
  })

  test('asks whose: an entry between that another one has is not ours', async (t) => {
    const stage = await guardStage(t, bench())
    await pendingVisits(stage, 3)
    await stage.redis.send('XCLAIM', stage.keys.stream, 'desk', 'two', '0', '2-0')
    const answer = await stage.unchanged(() => stage.calls.gate('one', settledVisits(3)))
    assert.deepEqual(answer, { kind: 'gone', still: new Set(['1-0', '3-0']) })
  })

  test('applies nothing that was settled before, though it is pending again', async (t) => {
    const stage = await guardStage(t, bench())
    const { redis, keys, calls } = stage
    await pendingVisits(stage, 4)
    assert.equal((await calls.gate('one', settledVisits(4))).kind, 'applied')
    // As XGROUP SETID and a read would do it, but for the last delivered id.
    await redis.send('XCLAIM', keys.stream, 'desk', 'one', '0', '2-0', 'FORCE', 'JUSTID')
    await assert.rejects(calls.gate('one', settledVisits(1, 1)), { code: 'GROUP_MOVED' })
    assert.deepEqual(await effects(stage), { guests: 4, rooms: 4 })
    assert.ok(Number(await redis.send('HGET', keys.ledger, 'moved')) > 0)
  })

  test('acknowledges each of more ids than one command takes', async (t) => {
    const stage = await guardStage(t, bench())
    const many = 10_001
    await pendingVisits(stage, many)
    assert.equal((await stage.calls.gate('one', settledVisits(many))).kind, 'applied')
    assert.deepEqual(await stage.pending(), [])
    assert.deepEqual(await effects(stage), { guests: many, rooms: many })
  })

  test('writes nothing while one hash of the batch cannot take its row', async (t) => {
    const stage = await guardStage(t, bench())
    await pendingVisits(stage, 3)
    await stage.redis.send('SET', `${stage.prefix}:rooms:3`, 'text')
    const answer = await stage.unchanged(() => stage.calls.gate('one', settledVisits(3)))
    assert.ok(answer.kind === 'refused')
    const refusal = { code: 'wrong-type', field: '' }
    assert.deepEqual([...answer.refusals], [[`${stage.prefix}:rooms:3`, refusal]])
  })

  test('leaves attempts of another type alone, and settles all the same', async (t) => {
    const stage = await guardStage(t, bench())
    await pendingVisits(stage, 1)
    await stage.redis.send('SET', stage.keys.attempts, 'of somebody else')
    const again = settledVisits(1).map((each) => ({ ...each, isRedelivery: true }))
    assert.equal((await stage.calls.gate('one', again)).kind, 'applied')
    assert.equal(await stage.redis.send('GET', stage.keys.attempts), 'of somebody else')
    assert.deepEqual(await stage.pending(), [])
  })

  test('writes no dead letter where it may not acknowledge, nor forget attempts', async (t) => {
    const stage = await guardStage(t, bench())
    await pendingVisits(stage, 2)
    await stage.redis.send('HSET', stage.keys.attempts, '1-0', '1:5')
    const settled = [{ ...letter('1-0'), isRedelivery: true }, ...settledVisits(1, 1)]
    for (const right of ['xack', 'hdel', 'xadd']) {
      const limited = await stage.as('+@all', `-${right}`)
      const refused = stage.unchanged(() => limited.gate('one', settled))
      await assert.rejects(refused, { message: new RegExp(`right to ${right.toUpperCase()},`) })
    }
  })
})
