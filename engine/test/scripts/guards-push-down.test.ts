/** What push-down checks before it moves the group: the entries behind it are gone, whatever fails then. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { count, integer, projection, stream, text, type Projection } from 'millrace'
import { compilePushDown } from '../../src/apply/compile-push-down.ts'
import { groupKeys } from '../../src/redis/keys.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { rankingKeys } from '../../src/declare/ranking.ts'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { appendVisits, effects, freshGroup } from '../stage/fixture.ts'
import { guardStage, unchangedUnder } from '../stage/guard-stage.ts'
import { runScript, script } from '../stage/script-calls.ts'
import { openConnection } from '../stage/connections.ts'

/** The script for other projections of the fixture's stream, whose guests are texts here. */
async function pushedInto(
  t: TestContext,
  bench: Bench,
  declare: (prefix: string) => readonly Projection[],
) {
  const { prefix, redis, visits } = await freshGroup(bench)
  const declared = stream(visits.key, { guest: text(), room: integer() })
  const plans = plansOf(declare(prefix), declared)
  const keys = groupKeys(visits.key, 'desk')
  const { stream: key, deadLetters, holders, ledger, attempts } = keys
  const names = [key, deadLetters, holders, ledger, attempts, ...rankingKeys(plans)]
  const connection = await openConnection(t, bench.server.url)
  const drain = script('push-down', compilePushDown(declared, plans))
  const args = ['desk', 'one', '', '100', '1000000', '10']
  return {
    prefix,
    keys,
    redis,
    add: (guest: string) => redis.send('XADD', key, '*', 'guest', guest, 'room', '1'),
    pushDown: () => runScript(connection, drain, names, args),
    unchanged: unchangedUnder(redis, prefix),
  }
}

onOldestAndNewest('a call of push-down', (bench) => {
  test('takes nothing for a process whose name another one has by now', async (t) => {
    const stage = await guardStage(t, bench())
    const { calls, hold, redis, keys, unchanged } = stage
    await appendVisits(stage, 3)
    await hold('one', 'of its successor', 60_000)
    const late = () => calls.pushDown('one', { token: 'old' })
    assert.deepEqual(await unchanged(late), ['superseded'])
    await redis.send('HDEL', keys.holders, 'one')
    assert.deepEqual(await unchanged(late), ['superseded'])
    await hold('one', 'ours', 60_000)
    const [kind, taken] = await calls.pushDown('one', { token: 'ours' })
    assert.deepEqual([kind, taken], ['drained', 3])
  })

  test('takes nothing that was settled before, where nothing says how far the group had been', async (t) => {
    const stage = await guardStage(t, bench())
    const { calls, redis, keys } = stage
    await appendVisits(stage, 5)
    assert.equal((await calls.pushDown('one'))[0], 'drained')
    await redis.send('HDEL', keys.ledger, 'delivered')
    await redis.send('XGROUP', 'SETID', keys.stream, 'desk', '2-0')
    assert.deepEqual(await calls.pushDown('one'), ['error', 'moved-back'])
    assert.ok(Number(await redis.send('HGET', keys.ledger, 'moved')) > 0)
    assert.deepEqual(await effects(stage), { guests: 5, rooms: 5 })
  })

  test('refuses entries whose hash would be a key of the engine', async (t) => {
    const { prefix, keys, redis, add, pushDown } = await pushedInto(t, bench(), (prefix) => [
      projection(`${prefix}:visits:desk:{guest}`, { visits: count() }),
    ])
    for (const guest of ['ledger', 'dead', 'holders', 'attempts', 'nobody']) await add(guest)
    const [kind, taken, applied] = await pushDown()
    assert.deepEqual([kind, taken, applied], ['drained', 5, 1])
    assert.equal(await redis.send('XLEN', keys.deadLetters), 4)
    assert.equal(await redis.send('EXISTS', keys.holders, keys.attempts), 0)
    assert.equal(await redis.send('HGET', keys.ledger, 'visits'), null)
    assert.equal(await redis.send('HGET', `${prefix}:visits:desk:nobody`, 'visits'), '1')
  })

  test('writes nothing where two projections meet in one key', async (t) => {
    const { prefix, add, pushDown, unchanged } = await pushedInto(t, bench(), (prefix) => [
      projection(`${prefix}:{guest}`, { visits: count() }),
      projection(`${prefix}:1{room}`, { seen: count() }),
    ])
    await add('11')
    assert.deepEqual(await unchanged(pushDown), ['meeting', `${prefix}:11`])
  })

  test('takes nothing while ranking, ledger or dead letters have another type', async (t) => {
    const { prefix, keys, redis, add, pushDown, unchanged } = await pushedInto(
      t,
      bench(),
      (prefix) => {
        const rankings = { visits: `${prefix}:top` }
        return [projection(`${prefix}:guests:{guest}`, { visits: count() }, { rankings })]
      },
    )
    await add('a')
    await redis.send('XADD', keys.stream, '*', 'guest', 'without a room')
    // The later ones are looked at first.
    for (const key of [keys.deadLetters, `${prefix}:top`, keys.ledger]) {
      await redis.send('DEL', key)
      await redis.send('SET', key, 'text')
      assert.deepEqual(await unchanged(pushDown), ['error', `wrong-type string ${key}`])
    }
  })

  test('takes nothing where hashes may not be read or written: no entry is to blame', async (t) => {
    const stage = await guardStage(t, bench())
    const { prefix } = stage
    await appendVisits(stage, 3)
    for (const [name, right] of [
      ['HMGET', `%W~${prefix}:rooms:*`],
      ['HSET', `%R~${prefix}:rooms:*`],
    ] as const) {
      const rights = ['+@all', `~${prefix}:visits*`, `~${prefix}:guests:*`, right]
      const limited = await stage.as(...rights)
      const answer = await stage.unchanged(() => limited.pushDown('one'))
      assert.deepEqual(answer, ['error', `no-permission ${name}`])
    }
  })

  test('says that entries are left when it takes only a part, so that they need not wait', async (t) => {
    const { redis, keys, calls, millrace, visits, prefix } = await guardStage(t, bench())
    // There is room for two of four, which together overflow.
    await redis.send('HSET', `${prefix}:guests:1`, 'visits', '9223372036854775805')
    for (let n = 0; n < 4; n += 1) await millrace.append(visits, { guest: 1, room: 1, stars: 1 })
    const [kind, taken, applied, , isMore] = await calls.pushDown('one')
    assert.deepEqual([kind, taken, applied, isMore], ['drained', 2, 2, 1])
    // Of these neither fits.
    const [, rest, , , isMoreThen] = await calls.pushDown('one')
    assert.deepEqual([rest, isMoreThen], [2, 0])
    assert.equal(await redis.send('XLEN', keys.deadLetters), 2)
  })

  test('folds anew after a refusal: what a check has left in the rows would count twice', async (t) => {
    const stage = await guardStage(t, bench())
    const { redis, calls, prefix } = stage
    await redis.send('HSET', `${prefix}:guests:1`, 'visits', '5')
    await redis.send('SET', `${prefix}:guests:2`, 'text')
    await appendVisits(stage, 3)
    const [, taken, applied] = await calls.pushDown('one')
    assert.deepEqual([taken, applied], [3, 2])
    assert.equal(await redis.send('HGET', `${prefix}:guests:1`, 'visits'), '6')
    assert.equal(await redis.send('HGET', `${prefix}:rooms:1`, 'visits'), '1')
  })
})
