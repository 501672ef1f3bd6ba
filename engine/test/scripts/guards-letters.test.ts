/** Sending back, removing and finding dead letters, each in the state that a guard is for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie, visit } from '../stage/fixture.ts'
import { guardStage, type GuardStage } from '../stage/guard-stage.ts'
import { scriptCalls, type RunScript, script } from '../stage/script-calls.ts'

/** A dead letter of an entry. Returns its id. */
async function letter({ redis, keys }: GuardStage, id: string, ...fields: string[]) {
  const about = ['id', id, 'reason', 'handler', 'error', 'no', 'consumer', 'one', 'time', '1']
  return String(await redis.send('XADD', keys.deadLetters, '*', ...about, ...fields))
}

const fieldsOf = (n: number): string[] =>
  Object.entries(visit(n)).flatMap(([name, value]) => [`field:${name}`, String(value)])

/** Visits that were delivered and acknowledged. */
async function settled(stage: GuardStage, many: number): Promise<void> {
  const ids = await appendVisits(stage, many)
  await readAndDie(stage, 'one', many)
  await stage.redis.send('XACK', stage.keys.stream, 'desk', ...ids)
}

const redrive = (run: RunScript, id: string) =>
  run(script('redrive'), ['stream', 'deadLetters', 'ledger'], 'desk', id, 'redrive', 5_000_000)

const purge = (run: RunScript, ...ids: readonly string[]) =>
  run(script('purge'), ['deadLetters', 'ledger'], ...ids)

onOldestAndNewest('a dead letter', (bench) => {
  test('is not sent back to an entry that has less in it, or else', async (t) => {
    const stage = await guardStage(t, bench())
    const run = await scriptCalls(t, bench(), stage.keys)
    await settled(stage, 2)
    const more = await letter(stage, '1-0', ...fieldsOf(0), 'field:more', '1')
    const packed = await letter(stage, '2-0', 'packed', 'something else')
    for (const id of [more, packed]) {
      assert.deepEqual(await stage.unchanged(() => redrive(run, id)), ['mismatch'])
    }
    const same = await letter(stage, '1-0', ...fieldsOf(0))
    assert.deepEqual(await redrive(run, same), ['redriven'])
  })

  test('stays where its entry may not be made pending, or it may not be deleted', async (t) => {
    const stage = await guardStage(t, bench())
    await settled(stage, 1)
    const id = await letter(stage, '1-0', ...fieldsOf(0))
    for (const right of ['xclaim', 'xdel', 'hset']) {
      const run = await scriptCalls(t, bench(), stage.keys, right)
      const answer = await stage.unchanged(() => redrive(run, id))
      assert.deepEqual(answer, ['error', `no-permission ${right.toUpperCase()}`])
    }
  })

  test('is not removed where that may not be counted', async (t) => {
    const stage = await guardStage(t, bench())
    const id = await letter(stage, '1-0')
    for (const right of ['xdel', 'hset']) {
      const run = await scriptCalls(t, bench(), stage.keys, right)
      const answer = await stage.unchanged(() => purge(run, id))
      assert.deepEqual(answer, ['error', `no-permission ${right.toUpperCase()}`])
    }
    const run = await scriptCalls(t, bench(), stage.keys)
    await stage.redis.send('SET', stage.keys.ledger, 'text')
    const answer = await stage.unchanged(() => purge(run, id))
    assert.deepEqual(answer, ['error', `wrong-type string ${stage.keys.ledger}`])
  })

  test('that another one has removed is not counted once more', async (t) => {
    const stage = await guardStage(t, bench())
    const run = await scriptCalls(t, bench(), stage.keys)
    const id = await letter(stage, '1-0')
    assert.deepEqual(await purge(run, id, '5-5'), ['purged', 1, 0])
    assert.deepEqual(await purge(run, id), ['purged', 0])
    assert.equal(await stage.redis.send('HGET', stage.keys.ledger, 'purged'), '1')
  })

  test('is found although the clock was set back after its entry came', async (t) => {
    const stage = await guardStage(t, bench())
    const run = await scriptCalls(t, bench(), stage.keys)
    const far = '99999999999999-0'
    const id = await letter(stage, far, ...fieldsOf(0))
    const [found] = await run(script('find-dead-letter'), ['deadLetters'], far, 10, '')
    assert.equal(Array.isArray(found) && found[0], id)
  })
})
