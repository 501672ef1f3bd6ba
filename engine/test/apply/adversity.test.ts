/** Odd rights, odd keys, odd errors, odd links: nothing is half applied, and what passes is survived. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, MillraceError, projection, stream, text } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { inBothModes } from '../stage/both-modes.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
} from '../stage/fixture.ts'

inBothModes('adversity', (bench, startConsumer, mode) => {
  test('a user without the right to write hashes halts, and nothing is acknowledged', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3)
    const user = `limited-${fixture.prefix}`
    // Only the lease may be written.
    const lease = `(+hset ~${fixture.visits.key}:*)`
    await fixture.redis.send('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', '-hset', lease)
    const url = bench().server.url.replace('//', `//${user}:pw@`)
    const millrace = await connectFor(t, { url })
    const group = millrace.group(fixture.visits, 'desk')
    const { ended } = startConsumer(t, { ...fixture, group }, 'one')
    const error = await within(ended, { what: 'the consumer to halt' })
    assert.ok(error instanceof MillraceError && error.code === 'AUTHENTICATION', String(error))
    assert.equal((await fixture.group.describe()).pending, mode === 'pull' ? 3 : 0)
    assert.equal(await fixture.group.isDrained(), false)
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
    await fixture.redis.send('ACL', 'SETUSER', user, '+hset')
    startConsumer(t, { ...fixture, group }, 'two', { claimAfterMs: 50 })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
  })

  test('a user without the right to unblock clients works all the same', async (t) => {
    const fixture = await freshGroup(bench())
    const user = `quiet-${fixture.prefix}`
    await fixture.redis.send('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', '-client|id')
    const url = bench().server.url.replace('//', `//${user}:pw@`)
    const millrace = await connectFor(t, { url })
    const group = millrace.group(fixture.visits, 'desk')
    const { consumer } = startConsumer(t, { ...fixture, group }, 'one')
    await appendVisits(fixture, 3)
    await untilDrained(fixture)
    await within(consumer.stop(), { what: 'the consumer to stop' })
  })

  test('an entry that leads to a key of the engine is refused, and the rest goes through', async (t) => {
    const prefix = freshPrefix()
    const notes = stream(`${prefix}:notes`, { about: text() })
    const byAbout = projection(`${prefix}:notes:{about}:dead`, { notes: count() })
    const group = bench().millrace.group(notes, 'desk')
    await group.create()
    for (const about of ['desk', 'ada']) await bench().millrace.append(notes, { about })
    await bench().redis.send('XADD', notes.key, '*', 'undecodable', '1')
    const consumer = group.consumer('one', { projections: [byAbout], drain: true, mode })
    await within(consumer.run(), { what: 'the drain' })
    const letters = (await bench().redis.send('XRANGE', `${prefix}:notes:desk:dead`, '-', '+')) as [
      string,
      string[],
    ][]
    assert.deepEqual(letters.map(([, flat]) => flat[3]).sort(), ['refused', 'undecodable'])
    assert.equal(await bench().redis.send('HGET', `${prefix}:notes:ada:dead`, 'notes'), '1')
    t.diagnostic(letters.map(([, flat]) => flat[5]).join('; '))
  })

  test('thousands of hashes of one batch may refuse it', async (t) => {
    const fixture = await freshGroup(bench())
    const { millrace, redis, visits, prefix } = fixture
    const many = 4500
    const guests = Array.from({ length: many }, (_, at) => at + 1)
    await Promise.all(guests.map((guest) => redis.send('SET', `${prefix}:guests:${guest}`, 'text')))
    await millrace.appendMany(
      visits,
      guests.map((guest) => ({ values: { guest, room: 1, stars: 1 } })),
    )
    await millrace.append(visits, { guest: many + 1, room: 1, stars: 1 })
    startConsumer(t, fixture, 'one', { batch: 5000 })
    await untilDrained(fixture)
    assert.equal(await redis.send('XLEN', fixture.dead), many)
    assert.equal((await effects(fixture)).rooms, 1)
  })

  test('a link that falls silent right after the connect is given up', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3)
    const millrace = await connectFor(t, { url: proxy.url })
    const group = millrace.group(fixture.visits, 'desk')
    proxy.blackHole(true)
    const { consumer } = startConsumer(t, { ...fixture, group }, 'one')
    await waitFor(() => !millrace.isConnected, { what: 'the loss', timeoutMs: 15_000 })
    await within(consumer.stop(), { what: 'the consumer to stop', timeoutMs: 15_000 })
    proxy.blackHole(false)
  })
})

onEachServer('adversity of handlers', (bench) => {
  test('a handler may throw and answer anything', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 5)
    const { consumer } = startConsumer(t, fixture, 'one', {
      attemptsMax: 1,
      handler: ({ id }) => {
        if (id === '1-0') throw new Error('x😀'.slice(0, 2))
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is what is tried here
        if (id === '2-0') throw Object.create(null) as object
        if (id === '3-0') return { kind: 'dead-letter', reason: undefined as unknown as string }
        if (id === '4-0') throw new Error('long '.repeat(10_000))
        return undefined
      },
    })
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.deadLettered, 4)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
  })

  test('claims do not starve while there is a backlog', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 2000)
    await readAndDie(fixture, 'doomed', 10)
    let isOver = false
    const { consumer } = startConsumer(t, fixture, 'busy', {
      claimAfterMs: 200,
      batch: 50,
      inHandMax: 50,
      // Slower than the stream for as long as the test looks.
      handler: async () => {
        if (!isOver) await new Promise((resolve) => setTimeout(resolve, 5))
      },
    })
    const { counts } = consumer
    await waitFor(() => counts.claimed === 10 || counts.applied > 1500, { what: 'the claims' })
    assert.ok(counts.applied < 1500, 'the claims came when there was no backlog any more')
    isOver = true
    await untilDrained(fixture)
  })

  test('handlers that await nothing leave the event loop its turns', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 300)
    let handled = 0
    let sinceTurn = 0
    let most = 0
    let ticking = setImmediate(function tick() {
      sinceTurn = 0
      ticking = setImmediate(tick)
    })
    t.after(() => clearImmediate(ticking))
    startConsumer(t, fixture, 'one', {
      handler: () => {
        const until = performance.now() + 3
        while (performance.now() < until);
        handled += 1
        sinceTurn += 1
        most = Math.max(most, sinceTurn)
        return undefined
      },
    })
    await waitFor(() => handled === 300, { what: 'the handlers' })
    assert.ok(most <= 10, `${most} handlers ran without a turn of the event loop`)
    await untilDrained(fixture)
  })
})

onEachServer(
  'a server that refuses for a while',
  (bench) => {
    test('connections over maxclients and a password in rotation pass', async (t) => {
      const { server, redis } = bench()
      const proxy = await startProxy(server.port)
      t.after(() => proxy.close())
      const fixture = await freshGroup(bench())
      await redis.send('ACL', 'SETUSER', 'rotated', 'on', '>old', '~*', '+@all')
      const millrace = await connectFor(t, { url: proxy.url.replace('//', '//rotated:old@') })
      const group = millrace.group(fixture.visits, 'desk')
      startConsumer(t, { ...fixture, group }, 'one')
      await appendVisits(fixture, 1)
      await untilDrained(fixture)

      await redis.send('ACL', 'SETUSER', 'rotated', 'resetpass', '>new')
      proxy.cutAll()
      await waitFor(() => !millrace.isConnected, { what: 'the loss' })
      await redis.send('ACL', 'SETUSER', 'rotated', '>old')
      await fixture.millrace.append(fixture.visits, visit(1))
      await untilDrained(fixture)

      const clients = String(await redis.send('INFO', 'clients'))
      const now = Number(/connected_clients:(\d+)/.exec(clients)?.[1])
      await redis.send('CONFIG', 'SET', 'maxclients', String(now - 2))
      proxy.cutAll()
      await waitFor(() => !millrace.isConnected, { what: 'the loss' })
      await redis.send('CONFIG', 'SET', 'maxclients', '10000')
      await fixture.millrace.append(fixture.visits, visit(1))
      await untilDrained(fixture)
      assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
    })

    test('a reader does not loop hot while reads fail', async (t) => {
      const { redis, server } = bench()
      const fixture = await freshGroup(bench())
      await appendVisits(fixture, 3)
      const millrace = await connectFor(t, { url: server.url })
      const reader = millrace.reader(fixture.visits, {
        name: 'lonely',
        positionKey: `${fixture.prefix}:position`,
        projections: [fixture.guests, fixture.rooms],
      })
      const run = reader.run()
      t.after(() => reader.stop())
      await waitFor(async () => (await effects(fixture)).guests === 3, {
        what: 'the first entries',
      })
      const connections = async (): Promise<number> => {
        const stats = String(await redis.send('INFO', 'stats'))
        return Number(/total_connections_received:(\d+)/.exec(stats)?.[1])
      }
      await redis.send('CONFIG', 'SET', 'replica-serve-stale-data', 'no')
      const before = await connections()
      await redis.send('REPLICAOF', '127.0.0.1', '1')
      const since = performance.now()
      await waitFor(async () => (await connections()) > before + 3, { what: 'some reconnects' })
      await waitFor(() => performance.now() - since > 2000, { what: 'two seconds' })
      assert.ok((await connections()) - before < 40)
      await redis.send('REPLICAOF', 'NO', 'ONE')
      await fixture.millrace.append(fixture.visits, visit(1))
      await waitFor(async () => (await effects(fixture)).guests === 4, { what: 'the late entry' })
      await within(reader.stop(), { what: 'the reader to stop' })
      await run
    })
  },
  { concurrency: false },
)
