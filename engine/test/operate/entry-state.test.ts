import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEntryId } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import {
  appendVisits,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
} from '../stage/fixture.ts'

const fieldsOf = (n: number): [string, string][] => [
  ['guest', String(1 + (n % 7))],
  ['room', String(1 + (n % 3))],
  ['stars', String(n % 6)],
]

onEachServer('entryState', (bench) => {
  test('follows an entry from waiting to applied', async (t) => {
    const fixture = await freshGroup(bench())
    const { group } = fixture
    const [first = '', second = ''] = await appendVisits(fixture, 2)
    assert.deepEqual(await group.entryState(first), { kind: 'waiting', fields: fieldsOf(0) })
    await readAndDie(fixture, 'ada', 1)
    const pending = await group.entryState(first)
    assert.ok(pending.kind === 'pending')
    assert.deepEqual([pending.consumer, pending.deliveries], ['ada', 1])
    assert.deepEqual(pending.fields, fieldsOf(0))
    assert.equal((await group.entryState(second)).kind, 'waiting')
    startConsumer(t, fixture, 'ada')
    await untilDrained(fixture)
    for (const [n, id] of [first, second].entries()) {
      assert.deepEqual(await group.entryState(id), { kind: 'applied', fields: fieldsOf(n) })
    }
  })

  test('an entry of a group that does not exist yet waits', async () => {
    const fixture = await freshGroup(bench())
    const { millrace, visits } = fixture
    const [id = ''] = await appendVisits(fixture, 1)
    const other = millrace.group(visits, 'later')
    assert.equal((await other.entryState(id)).kind, 'waiting')
  })

  test('names the dead letter, also when the entry is gone, until it is redriven', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits, dead } = fixture
    await redis.send('XADD', visits.key, '1-1', 'guest', 'nobody')
    await redis.send('XADD', visits.key, '1-2', 'guest', '1', 'room', '1', 'stars', '1')
    startConsumer(t, fixture, 'ada')
    await untilDrained(fixture)
    const state = await group.entryState('1-1')
    assert.ok(state.kind === 'dead')
    assert.deepEqual([state.letter.entryId, state.letter.reason], ['1-1', 'undecodable'])
    assert.equal((await group.entryState('1-2')).kind, 'applied')
    await redis.send('XDEL', visits.key, '1-1')
    assert.equal((await group.entryState('1-1')).kind, 'dead')
    await redis.send('DEL', dead)
    assert.equal((await group.entryState('1-1')).kind, 'trimmed')
  })

  test('finds a letter among thousands, and says when there are too many', async () => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits, dead } = fixture
    await appendVisits(fixture, 3)
    await redis.send('XGROUP', 'SETID', visits.key, 'desk', '$')
    const fill = `for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'id', '9-' .. n, 'reason', 'x') end return 1`
    await redis.send('EVAL', fill, 1, dead, 9000)
    await redis.send('XADD', dead, '*', 'id', '2-0', 'reason', 'refused', 'field:id', '3-0')
    assert.equal((await group.entryState('2-0')).kind, 'dead')
    assert.equal((await group.entryState('3-0')).kind, 'applied')
    await redis.send('EVAL', fill, 1, dead, 2000)
    assert.equal((await group.entryState('3-0')).kind, 'acknowledged')
    assert.equal((await group.entryState('2-0')).kind, 'dead')
  })

  test('tells what was trimmed from what never was, as far as ids tell', async () => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    assert.equal((await group.entryState('5-5')).kind, 'unknown')
    await appendVisits(fixture, 3)
    for (const id of ['0-0', '0-1', '1-1', '4-0']) {
      assert.equal((await group.entryState(id)).kind, 'unknown', id)
    }
    await redis.send('XTRIM', visits.key, 'MAXLEN', '=', '1')
    const kinds = async (): Promise<string[]> =>
      await Promise.all(
        ['0-0', '1-0', '2-0', '3-0', '3-1'].map(async (id) => (await group.entryState(id)).kind),
      )
    assert.deepEqual(await kinds(), ['unknown', 'trimmed', 'trimmed', 'waiting', 'unknown'])
    await redis.send('XTRIM', visits.key, 'MAXLEN', '=', '0')
    assert.deepEqual(await kinds(), ['unknown', 'trimmed', 'trimmed', 'trimmed', 'unknown'])
  })

  test('a pending entry without a body is pending still', async () => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    await appendVisits(fixture, 1)
    await readAndDie(fixture, 'ada', 1)
    await redis.send('XDEL', visits.key, '1-0')
    const state = await group.entryState('1-0')
    assert.ok(state.kind === 'pending')
    assert.deepEqual(state.fields, [])
  })
})

test('an entry id has two parts of 64 bits without leading zeros', () => {
  for (const id of ['0-0', '1-1', '18446744073709551615-18446744073709551615']) {
    assert.ok(isEntryId(id), id)
  }
  for (const id of [
    '',
    '1',
    '-',
    '1-',
    '-1',
    '01-1',
    '1-01',
    '1-1-1',
    ' 1-1',
    '1-18446744073709551616',
    '1-1\n',
  ]) {
    assert.ok(!isEntryId(id), id)
  }
})
