/** The single reader: position and effects are one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, type ReaderOptions } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  visit,
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

onEachServer('reader', (bench) => {
  const optionsOf = ({ prefix, guests, rooms }: Fixture): ReaderOptions<VisitFields> => ({
    name: 'lonely',
    positionKey: `${prefix}:position`,
    projections: [guests, rooms],
    batch: 10,
    drain: true,
  })
  const read = (fixture: Fixture, options: Partial<ReaderOptions<VisitFields>> = {}) =>
    fixture.millrace.reader(fixture.visits, { ...optionsOf(fixture), ...options })

  test('goes on at its position', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 25)
    await read(fixture).run()
    assert.equal(await fixture.redis.send('GET', `${fixture.prefix}:position`), '25-0')
    await read(fixture).run()
    assert.deepEqual(await effects(fixture), { guests: 25, rooms: 25 })
    await fixture.millrace.append(fixture.visits, visit(1))
    await read(fixture).run()
    assert.deepEqual(await effects(fixture), { guests: 26, rooms: 26 })
  })

  test('applies once when replies to read and apply are lost', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const fixture = await freshGroup(bench())
    const millrace = await connectFor(t, { url: proxy.url })
    await appendVisits(fixture, 60)
    for (const command of ['XREAD', 'EVALSHA']) proxy.cutBeforeReply(command)
    await within(millrace.reader(fixture.visits, optionsOf(fixture)).run(), { what: 'the drain' })
    assert.ok(proxy.cuts >= 1)
    assert.deepEqual(await effects(fixture), { guests: 60, rooms: 60 })
  })

  test('dead-letters what cannot be decoded or applied, and goes on', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, prefix } = fixture
    await appendVisits(fixture, 12)
    await redis.send('XADD', visits.key, '13-0', 'guest', 'x')
    await redis.send('SET', `${prefix}:rooms:99`, 'text')
    await redis.send('XADD', visits.key, '14-0', 'guest', '1', 'room', '99', 'stars', '1')
    await redis.send('HSET', `${prefix}:rooms:50`, 'visits', '9223372036854775806')
    for (const id of ['15-0', '16-0', '17-0']) {
      await redis.send('XADD', visits.key, id, 'guest', '1', 'room', '50', 'stars', '1')
    }
    const told: string[] = []
    const observer = {
      deadLettered: (some: readonly { readonly id: string }[]) => {
        told.push(...some.map(({ id }) => id))
      },
    }
    await read(fixture, { observer }).run()
    assert.deepEqual(told, ['13-0', '14-0', '15-0', '16-0', '17-0'])
    const letters = (await redis.send('XRANGE', `${visits.key}:lonely:dead`, '-', '+')) as [
      string,
      string[],
    ][]
    assert.deepEqual(
      letters.map(([, flat]) => [flat[1], flat[3]]),
      [
        ['13-0', 'undecodable'],
        ['14-0', 'refused'],
        // An averaged counter ends at 2^51.
        ['15-0', 'refused'],
        ['16-0', 'refused'],
        ['17-0', 'refused'],
      ],
    )
    assert.equal(await redis.send('GET', `${prefix}:position`), '17-0')
    assert.equal((await effects(fixture)).guests, 12)
  })

  test('halts when another reader moves its position', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 5)
    const reader = read(fixture, { drain: false })
    const ended = reader.run().catch((error: unknown) => error)
    t.after(() => reader.stop())
    await waitFor(async () => (await effects(fixture)).guests === 5, { what: 'the first entries' })
    await fixture.redis.send('SET', `${fixture.prefix}:position`, '3-0')
    await fixture.millrace.append(fixture.visits, visit(1))
    const error = await within(ended, { what: 'the reader to halt' })
    assert.ok(error instanceof MillraceError && error.code === 'POSITION_MOVED')
    assert.deepEqual(await effects(fixture), { guests: 5, rooms: 5 })
  })

  test('halts on a position or a stream of another type', async () => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    await fixture.redis.send('HSET', `${fixture.prefix}:position`, 'a', 'b')
    const isWrongType = (error: unknown): boolean =>
      error instanceof MillraceError && error.code === 'WRONG_TYPE'
    await assert.rejects(read(fixture).run(), isWrongType)
    const other = await freshGroup(bench())
    await other.redis.send('SET', other.visits.key, 'text')
    await assert.rejects(read(other).run(), isWrongType)
  })

  test('stops at once while it waits, and refuses wrong options', async () => {
    const fixture = await freshGroup(bench())
    let isWaiting = false
    const observer = { waiting: () => void (isWaiting = true) }
    const reader = read(fixture, { drain: false, observer })
    const run = reader.run()
    await waitFor(() => isWaiting, { what: 'an empty read' })
    await within(reader.stop(), { what: 'the reader to stop', timeoutMs: 1500 })
    await run
    assert.throws(() => read(fixture, { batch: 0 }), RangeError)
  })
})
