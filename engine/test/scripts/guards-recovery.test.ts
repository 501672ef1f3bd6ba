/** The script of a recovery, each in the state that its guard is for. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Reply } from '../../src/redis/connection.ts'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie } from '../stage/fixture.ts'
import { guardStage, settledVisits, type GuardStage } from '../stage/guard-stage.ts'
import { scriptCalls, type RunScript, script } from '../stage/script-calls.ts'

/** Six visits: two were pending for a dead consumer and four applied, when the group was destroyed. */
async function lostGroup(t: TestContext, bench: Bench) {
  const stage = await guardStage(t, bench)
  await appendVisits(stage, 6)
  await readAndDie(stage, 'dead', 2)
  await readAndDie(stage, 'one', 4)
  assert.equal((await stage.calls.gate('one', settledVisits(4, 2))).kind, 'applied')
  await stage.redis.send('XGROUP', 'DESTROY', stage.keys.stream, 'desk')
  return { stage, ...callsBy(await scriptCalls(t, bench, stage.keys)) }
}

function callsBy(run: RunScript) {
  return {
    /** A step of the walk, which writes. Without a note of a sweep all six are unknown. */
    walk: (count: number, { upTo = '' } = {}): Promise<Reply[]> => {
      const roles = ['stream', 'deadLetters', 'ledger', 'leases', 'holders'] as const
      const range = ['0-0', upTo, count] as const
      return run(script('recover-unknown'), roles, 'desk', 'write', ...range, 'lost', '[]', '[]')
    },
    finish: (deadTokens: readonly string[] = []): Promise<Reply[]> => {
      const roles = ['stream', 'ledger', 'leases', 'holders', 'retries', 'attempts'] as const
      return run(script('recover-group'), roles, 'desk', 100, JSON.stringify(deadTokens), '6-0', 0)
    },
  }
}

const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `${from + at}-0`)

const lettersOf = ({ redis, keys }: GuardStage) => redis.send('XLEN', keys.deadLetters)

onOldestAndNewest('a recovery', (bench) => {
  test('moves no group before its walk has reached the end', async (t) => {
    const { stage, walk, finish } = await lostGroup(t, bench())
    assert.deepEqual(await stage.unchanged(() => finish()), ['walk'])
    assert.deepEqual(await walk(3), ['step', '3-0', ...ids(1, 3)])
    assert.deepEqual(await stage.unchanged(() => finish()), ['walk'])
    assert.deepEqual(await walk(9), ['step', '', ...ids(4, 6)])
    assert.equal((await finish())[0], 'done')
  })

  test('moves no group under a consumer that began after the walk, unless that one is dead', async (t) => {
    const { stage, walk, finish } = await lostGroup(t, bench())
    await walk(9)
    await stage.hold('late', 'its token', 60_000)
    assert.deepEqual(await stage.unchanged(() => finish()), ['alive', 'late'])
    assert.deepEqual(await stage.unchanged(() => walk(9)), ['alive', 'late'])
    assert.equal((await finish(['its token']))[0], 'done')
  })

  test('does nothing to a group that another one has recovered meanwhile', async (t) => {
    const { stage, walk, finish } = await lostGroup(t, bench())
    await walk(9)
    await finish()
    assert.deepEqual(await stage.unchanged(() => walk(9)), ['nothing'])
    assert.deepEqual(await stage.unchanged(() => finish()), ['nothing'])
  })

  test('forgets schedule and attempts of entries that are pending no more', async (t) => {
    const { stage, walk, finish } = await lostGroup(t, bench())
    const { redis, keys } = stage
    await redis.send('ZADD', keys.retries, '1', '1-0')
    await redis.send('HSET', keys.attempts, '1-0', '1:5')
    await walk(9)
    await finish()
    assert.equal(await redis.send('EXISTS', keys.retries, keys.attempts), 0)
  })

  test('does not set back how far another one got', async (t) => {
    const { stage, walk } = await lostGroup(t, bench())
    assert.deepEqual(await walk(4), ['step', '4-0', ...ids(1, 4)])
    // It knows the dead letters up to here only.
    assert.deepEqual(await walk(9, { upTo: '2-0' }), ['step', '2-0'])
    assert.deepEqual(await walk(9), ['step', '', '5-0', '6-0'])
    assert.equal(await lettersOf(stage), 6)
  })

  test('writes no dead letter where these have no place, or how far it got', async (t) => {
    const { stage, walk } = await lostGroup(t, bench())
    for (const right of ['xadd', 'hset']) {
      const limited = callsBy(await scriptCalls(t, bench(), stage.keys, right))
      const answer = await stage.unchanged(() => limited.walk(9))
      assert.deepEqual(answer, ['error', `no-permission ${right.toUpperCase()}`])
    }
    await stage.redis.send('SET', stage.keys.deadLetters, 'text')
    const answer = await stage.unchanged(() => walk(9))
    assert.deepEqual(answer, ['error', `wrong-type string ${stage.keys.deadLetters}`])
  })

  test('moves no group where it may not do all of it', async (t) => {
    const { stage, walk } = await lostGroup(t, bench())
    await walk(9)
    for (const right of ['xgroup|setid', 'xsetid', 'del', 'hset', 'hdel', 'xack']) {
      const limited = callsBy(await scriptCalls(t, bench(), stage.keys, right))
      const answer = await stage.unchanged(() => limited.finish())
      const named = right.toUpperCase().replace('|', ' ')
      assert.deepEqual(answer, ['error', `no-permission ${named}`])
    }
  })
})
