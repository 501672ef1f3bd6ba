/** What makes, counts and trims, each in the state that a guard is for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupKeys } from 'millrace/operate'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { appendVisits, readAndDie, visit } from '../stage/fixture.ts'
import { guardStage } from '../stage/guard-stage.ts'
import { scriptCalls, type RunScript, script } from '../stage/script-calls.ts'

onOldestAndNewest('upkeep', (bench) => {
  test('trims nothing that it cannot count', async (t) => {
    const stage = await guardStage(t, bench())
    const { redis, keys, unchanged } = stage
    const ids = await appendVisits(stage, 3)
    await readAndDie(stage, 'one', 3)
    await redis.send('XACK', keys.stream, 'desk', ...ids)
    const counts = `${keys.stream}:ledger`
    const trim = (run: RunScript) =>
      run(script('trim'), ['stream', counts, 'ledger'], 100, 0, '', 1, 'desk')
    const limited = await scriptCalls(t, bench(), keys, 'hset')
    assert.deepEqual(await unchanged(() => trim(limited)), ['error', 'no-permission HSET'])
    const run = await scriptCalls(t, bench(), keys)
    await redis.send('SET', counts, 'text')
    assert.deepEqual(await unchanged(() => trim(run)), ['error', `wrong-type string ${counts}`])
    await redis.send('DEL', counts)
    assert.deepEqual((await trim(run)).slice(0, 2), ['trimmed', 2])
  })

  test('takes a loss into a ledger that still says what was counted, and into no other', async (t) => {
    const { redis, keys, unchanged } = await guardStage(t, bench())
    const run = await scriptCalls(t, bench(), keys)
    const accept = (by: RunScript, skipped: number, purged: number) =>
      by(script('accept-loss'), ['ledger'], skipped, purged, 7, 8)
    assert.deepEqual(await unchanged(() => accept(run, 1, 0)), ['changed'])
    assert.deepEqual(await unchanged(() => accept(run, 0, 1)), ['changed'])
    const limited = await scriptCalls(t, bench(), keys, 'hset')
    const refused = ['error', 'no-permission HSET']
    assert.deepEqual(await unchanged(() => accept(limited, 0, 0)), refused)
    assert.deepEqual(await accept(run, 0, 0), ['accepted'])
    assert.deepEqual(await redis.send('HMGET', keys.ledger, 'skipped', 'purged'), ['7', '8'])
    await redis.send('HDEL', keys.ledger, 'since')
    assert.deepEqual(await unchanged(() => accept(run, 7, 8)), ['changed'])
  })

  test('sets no lag by a count that holds no more', async (t) => {
    const stage = await guardStage(t, bench())
    const { redis, keys, unchanged } = stage
    await appendVisits(stage, 4)
    await readAndDie(stage, 'one', 1)
    await redis.send('XGROUP', 'SETID', keys.stream, 'desk', '1-0', 'ENTRIESREAD', '4')
    const run = await scriptCalls(t, bench(), keys)
    const repair = (by: RunScript, delivered: string, added: number, length: number) =>
      by(script('repair-lag'), ['stream'], 'desk', 'yes', 1, 3, delivered, added, length)
    // It was delivered an entry meanwhile; or another one was deleted.
    assert.deepEqual(await unchanged(() => repair(run, '0-0', 4, 4)), ['moved'])
    assert.deepEqual(await unchanged(() => repair(run, '1-0', 4, 5)), ['moved'])
    const limited = await scriptCalls(t, bench(), keys, 'xgroup|setid')
    const refused = ['error', 'no-permission XGROUP SETID']
    assert.deepEqual(await unchanged(() => repair(limited, '1-0', 4, 4)), refused)
    assert.deepEqual(await repair(run, '1-0', 4, 4), ['repaired', 3, 0, 3])
  })

  test('makes no group whose ledger has no place', async (t) => {
    const { redis, keys, unchanged } = await guardStage(t, bench())
    const { ledger, deadLetters } = groupKeys(keys.stream, 'other')
    const create = (by: RunScript) =>
      by(script('create-group'), ['stream', ledger, deadLetters], 'other', '0')
    const limited = await scriptCalls(t, bench(), keys, 'hset')
    assert.deepEqual(await unchanged(() => create(limited)), ['error', 'no-permission HSET'])
    const run = await scriptCalls(t, bench(), keys)
    await redis.send('SET', ledger, 'text')
    assert.deepEqual(await unchanged(() => create(run)), ['error', `wrong-type string ${ledger}`])
    await redis.send('DEL', ledger)
    assert.deepEqual(await create(run), ['created'])
  })

  test('says that a definition cannot be noted', async (t) => {
    const { keys, unchanged } = await guardStage(t, bench())
    const run = await scriptCalls(t, bench(), keys, 'hset')
    const answer = await unchanged(() => run(script('define'), ['ledger'], 'digest'))
    assert.deepEqual(answer, ['error', 'no-permission HSET'])
  })

  test('appends nothing by a key that holds another type', async (t) => {
    const { millrace, redis, visits, unchanged, prefix } = await guardStage(t, bench())
    const append = (idempotencyKey: string) =>
      millrace.appendBatch(visits, [{ values: visit(1) }, { values: visit(2), idempotencyKey }])
    await append('a')
    const [key = ''] = (await redis.send('KEYS', `${prefix}:visits:once:*`)) as string[]
    await redis.send('DEL', key)
    await redis.send('RPUSH', key, 'of somebody else')
    await assert.rejects(
      unchanged(() => append('a')),
      { code: 'WRONG_TYPE' },
    )
  })
})
