/** The gate: effects and acknowledgement are one, whatever order, claim, repetition or bad hash comes in between. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys } from 'millrace/operate'
import type { Settled } from '../../src/apply/settled.ts'
import { onEachServer, type Bench } from '../../../testing/on-each-server.ts'
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
import { callsOf, settledVisits } from '../stage/guard-stage.ts'
import { openConnection } from '../stage/connections.ts'

onEachServer('gate', (bench) => {
  test('refuses a zombie whose entries were claimed, and applies them once', async (t) => {
    const fixture = await freshGroup(bench())
    const ids = await appendVisits(fixture, 10)
    await readAndDie(fixture, 'zombie', 10)
    const claim = [fixture.visits.key, 'desk', 'survivor', '0', ...ids.slice(0, 6)]
    await fixture.redis.send('XCLAIM', ...claim)
    const gate = await openGate(t, bench(), fixture)

    const zombie = await gate.as('zombie', settledVisits(10))
    assert.deepEqual(zombie, { kind: 'gone', still: new Set(ids.slice(6)) })
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
    assert.equal((await gate.as('survivor', settledVisits(6))).kind, 'applied')
    assert.equal((await gate.as('zombie', settledVisits(10).slice(6))).kind, 'applied')
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
  })

  test('applies nothing a second time', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 5)
    await readAndDie(fixture, 'one', 5)
    const gate = await openGate(t, bench(), fixture)
    assert.equal((await gate.as('one', settledVisits(5))).kind, 'applied')
    assert.deepEqual(await gate.as('one', settledVisits(5)), { kind: 'gone', still: new Set() })
    assert.deepEqual(await effects(fixture), { guests: 5, rooms: 5 })
  })

  test('applies a batch that leaves out pending entries between its first and last', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 9)
    await readAndDie(fixture, 'one', 9)
    const gate = await openGate(t, bench(), fixture)
    const odd = settledVisits(9).filter((_, at) => at % 2 === 0)
    assert.equal((await gate.as('one', odd)).kind, 'applied')
    assert.deepEqual(await effects(fixture), { guests: 5, rooms: 5 })
    assert.equal((await fixture.group.describe()).pending, 4)
  })

  test('says that the group is gone, and writes nothing', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    await readAndDie(fixture, 'one', 1)
    const gate = await openGate(t, bench(), fixture)
    await fixture.redis.send('XGROUP', 'DESTROY', fixture.visits.key, 'desk')
    await assert.rejects(gate.as('one', settledVisits(1)), hasCode('NO_GROUP'))
    await fixture.redis.send('SET', fixture.visits.key, 'text')
    await assert.rejects(gate.as('one', settledVisits(1)), hasCode('WRONG_TYPE'))
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
  })

  test('writes nothing when the dead-letter stream is another type', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 2)
    await readAndDie(fixture, 'one', 2)
    await fixture.redis.send('SET', fixture.dead, 'text')
    const gate = await openGate(t, bench(), fixture)
    const letter: Settled = { kind: 'dead-letter', id: '1-0', reason: 'handler', error: 'no' }
    await assert.rejects(
      gate.as('one', [letter, ...settledVisits(2).slice(1)]),
      hasCode('WRONG_TYPE'),
    )
    const pending = (await fixture.redis.send('XPENDING', fixture.visits.key, 'desk')) as number[]
    assert.equal(pending[0], 2)
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
  })
})

inBothModes('gate of a consumer', (bench, startConsumer) => {
  const size = 8
  const damages: { name: string; damage: (fixture: Fixture, guest: number) => Promise<unknown> }[] =
    [
      {
        name: 'a key of another type',
        damage: ({ redis, prefix }, guest) =>
          redis.send('SET', `${prefix}:guests:${guest}`, 'text'),
      },
      {
        name: 'a counter that is no integer',
        damage: ({ redis, prefix }, guest) =>
          redis.send('HSET', `${prefix}:guests:${guest}`, 'visits', 'many'),
      },
      {
        name: 'a counter that would overflow',
        damage: ({ redis, prefix }, guest) =>
          redis.send('HSET', `${prefix}:guests:${guest}`, 'visits', '9223372036854775807'),
      },
    ]
  for (const { name, damage } of damages) {
    for (let position = 0; position < size; position += 1) {
      test(`dead-letters exactly the entry that meets ${name}, at position ${position} of a batch`, async (t) => {
        const fixture = await freshGroup(bench())
        const guest = 1000 + position
        await damage(fixture, guest)
        for (let n = 0; n < size; n += 1) {
          const values = n === position ? { ...visit(n), guest } : visit(n)
          await fixture.millrace.append(fixture.visits, values, { id: `${n + 1}-0` })
        }
        startConsumer(t, fixture, 'one')
        await untilDrained(fixture)
        const letters = (await fixture.redis.send('XRANGE', fixture.dead, '-', '+')) as [
          string,
          string[],
        ][]
        assert.equal(letters.length, 1)
        const letter = letters[0]?.[1] ?? []
        assert.deepEqual(letter.slice(0, 4), ['id', `${position + 1}-0`, 'reason', 'refused'])
        assert.ok(letter.includes('field:guest') && letter.includes(String(guest)))
        assert.equal((await effects(fixture)).rooms, size - 1)
      })
    }
  }

  test('refuses of several entries only those that no longer fit a counter', async (t) => {
    const fixture = await freshGroup(bench())
    const key = `${fixture.prefix}:guests:1`
    await fixture.redis.send('HSET', key, 'visits', '9223372036854775805')
    for (let n = 0; n < 5; n += 1)
      await fixture.millrace.append(fixture.visits, { guest: 1, room: 1, stars: 5 })
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.equal(await fixture.redis.send('HGET', key, 'visits'), '9223372036854775807')
    assert.equal(await fixture.redis.send('XLEN', fixture.dead), 3)
    assert.equal(await fixture.redis.send('HGET', `${fixture.prefix}:rooms:1`, 'stars'), '10')
  })

  test('refuses by one call all entries of a counter that takes no more', async (t) => {
    const fixture = await freshGroup(bench())
    const key = `${fixture.prefix}:guests:1`
    await fixture.redis.send('HSET', key, 'visits', '9223372036854775807')
    const values = Array.from({ length: 60 }, (_, n) => ({ ...visit(n), guest: 1 + (n % 2) }))
    await fixture.millrace.appendMany(
      fixture.visits,
      values.map((each, n) => ({ values: each, id: `${n + 1}-0` })),
    )
    const calls: number[] = []
    const observer = {
      deadLettered: (letters: readonly unknown[]) => void calls.push(letters.length),
    }
    startConsumer(t, fixture, 'one', { observer })
    await untilDrained(fixture)
    // Reads begin small: each read is one batch.
    assert.ok(calls.length <= 6, `dead letters a call: ${calls.join()}`)
    assert.equal(await fixture.redis.send('XLEN', fixture.dead), 30)
    const others = await fixture.redis.hash(`${fixture.prefix}:guests:2`)
    assert.equal(others.visits, '30')
  })
})

// Its own server: the others need memory.
inBothModes('gate of a full server', (bench, startConsumer) => {
  test('drains a server that is full', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 20)
    await fixture.redis.send('CONFIG', 'SET', 'maxmemory', '1')
    const refusal = fixture.millrace.append(fixture.visits, visit(1))
    await assert.rejects(refusal, hasCode('SERVER_FULL'))
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 20, rooms: 20 })
  })
})

const hasCode =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof MillraceError && error.code === code

async function openGate(t: TestContext, { server }: Bench, fixture: Fixture) {
  const keys = groupKeys(fixture.visits.key, 'desk')
  const { gate } = callsOf(await openConnection(t, server.url), { ...fixture, keys })
  return { as: gate }
}
