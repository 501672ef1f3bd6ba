/** Entries that cannot be processed: each becomes one dead letter, with its fields byte for byte and the reason. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareIds } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  age,
  appendVisits,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
} from '../stage/fixture.ts'

onEachServer('dead letters', (bench) => {
  test('dead-letters what cannot be decoded, byte for byte, and applies the rest', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const add = (...fields: string[]) => redis.send('XADD', visits.key, '*', ...fields)
    await add('guest', '1', 'room', '1', 'stars', '5')
    const bad = [
      ['guest', '1', 'room', '1'],
      ['guest', '01', 'room', '1', 'stars', '5'],
      ['guest', '1', 'room', '1', 'stars', '6'],
      ['guest', '0', 'room', '1', 'stars', '5'],
      ['guest', '1', 'room', 'one\r\n$5\r\nEVIL!\r\n\0', 'stars', '5'],
      ['guest', '1', 'guest', '2', 'room', '1', 'stars', '5'],
      ['guest', '9007199254740993', 'room', '1', 'stars', '5'],
      ['guest', '1', 'room', '1', 'stars', '5', 'traceparent', 'carried', 'guest', '1'],
    ]
    for (const fields of bad) await add(...fields)
    await add('note', 'kept', 'guest', '1', 'room', '1', 'stars', '5')
    await add('guest', '1', 'room', '1', 'stars', '5', 'traceparent', 'carried', 'note', 'kept')
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    const letters = (await redis.send('XRANGE', fixture.dead, '-', '+')) as [string, string[]][]
    const fields = letters.map(([, flat]) =>
      flat.slice(10).map((text, at) => (at % 2 === 0 ? text.replace(/^field:/, '') : text)),
    )
    assert.deepEqual(fields, bad)
    const errors = letters.map(([, flat]) => flat[5])
    assert.deepEqual(errors, [
      'field "stars" is missing',
      'field "guest" must be an integer from 1 to 9007199254740991, is 01',
      'field "stars" must be an integer from 0 to 5, is 6',
      'field "guest" must be an integer from 1 to 9007199254740991, is 0',
      'field "room" must be an integer of at least 1',
      'field "guest" stands twice',
      'field "guest" must be an integer from 1 to 9007199254740991, is 9007199254740993',
      'field "guest" stands twice',
    ])
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
  })

  for (const mode of ['pull', 'push-down'] as const) {
    test(`tells value, bounds, all missing fields and the field of the hash, by ${mode}`, async () => {
      const fixture = await freshGroup(bench())
      const { redis, visits, group, guests, rooms, prefix } = fixture
      await redis.send('HSET', `${prefix}:guests:1`, 'visits', 'many', 'seen', '5')
      await redis.send('HSET', `${prefix}:guests:2`, '@latest', 'never')
      await redis.send('HSET', `${prefix}:rooms:3`, 'stars', String(2n ** 63n - 1n))
      await redis.send('SET', `${prefix}:rooms:4`, 'text')
      const entries = [
        ['note', 'kept'],
        ['room', '1'],
        ['guest', '1', 'room', '1', 'stars', '-7'],
        ['guest', '99999999999999999999', 'room', '1', 'stars', '5'],
        ['guest', '999999999999999999999', 'room', '1', 'stars', '5'],
        ['guest', '\n1', 'room', '1', 'stars', '5'],
        ['guest', '1', 'room', '1', 'stars', '5'],
        ['guest', '2', 'room', '1', 'stars', '5'],
        ['guest', '3', 'room', '3', 'stars', '5'],
        ['guest', '3', 'room', '4', 'stars', '5'],
      ]
      for (const [at, fields] of entries.entries()) {
        await redis.send('XADD', visits.key, `${at + 1}-0`, ...fields)
      }
      await group.consumer('one', { projections: [guests, rooms], mode, drain: true }).run()
      const letters = (await redis.send('XRANGE', fixture.dead, '-', '+')) as [string, string[]][]
      letters.sort(([, a], [, b]) => compareIds(a[1] ?? '', b[1] ?? ''))
      const told = letters.map(([, flat]) => flat[5]?.replaceAll(`${prefix}:`, ''))
      assert.deepEqual(told, [
        'fields "guest", "room", "stars" are missing',
        'fields "guest", "stars" are missing',
        'field "stars" must be an integer from 0 to 5, is -7',
        'field "guest" must be an integer from 1 to 9007199254740991, is 99999999999999999999',
        'field "guest" must be an integer of at least 1',
        'field "guest" must be an integer of at least 1',
        'Cannot apply to "guests:1": field "visits" holds no integer, and is counted on',
        'Cannot apply to "guests:2": field "@latest" holds no entry id, and is the engine\'s own',
        'Cannot apply to "rooms:3": field "stars" would leave its range',
        'Cannot apply to "rooms:4": the key holds another type than a hash',
      ])
    })
  }

  test('handles entries with 1 MB in a field and with 10,000 fields', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const good = ['guest', '1', 'room', '1', 'stars', '5']
    const many = Array.from({ length: 20_000 }, (_, at) => `f${at}`)
    await redis.send('XADD', visits.key, '*', ...good, 'blob', 'x'.repeat(1_000_000))
    await redis.send('XADD', visits.key, '*', ...many, ...good)
    await redis.send('XADD', visits.key, '*', 'blob', 'x'.repeat(1_000_000))
    await redis.send('XADD', visits.key, '*', ...many)
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 2, rooms: 2 })
    const letters = (await redis.send('XRANGE', fixture.dead, '-', '+')) as [string, string[]][]
    assert.deepEqual(
      letters.map(([, flat]) => flat[10]),
      ['field:blob', 'packed'],
    )
  })

  test('reports entries whose body was trimmed before they were processed', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const ids = await appendVisits(fixture, 6)
    await readAndDie(fixture, 'one', 2)
    await readAndDie(fixture, 'doomed', 2)
    await age(fixture, 'doomed', 3_600_000)
    await redis.send('XDEL', visits.key, ids[0] ?? '', ids[2] ?? '')
    startConsumer(t, fixture, 'one')
    await waitFor(async () => (await redis.send('XLEN', fixture.dead)) === 2, {
      what: 'two letters',
    })
    await untilDrained(fixture)
    const letters = (await redis.send('XRANGE', fixture.dead, '-', '+')) as [string, string[]][]
    assert.deepEqual(letters.map(([, flat]) => [flat[1], flat[3]]).sort(), [
      [ids[0], 'lost'],
      [ids[2], 'lost'],
    ])
    assert.deepEqual(await effects(fixture), { guests: 4, rooms: 4 })
  })
})
