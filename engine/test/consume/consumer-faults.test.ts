/** What a consumer does when its group is lost or its connection breaks. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { count, MillraceError, projection } from 'millrace'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { inBothModes } from '../stage/both-modes.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  visit,
  visitModel,
} from '../stage/fixture.ts'

inBothModes('consumer in trouble', (bench, startConsumer) => {
  test('halts when its group or its stream is lost, and re-creates nothing', async (t) => {
    for (const loss of ['XGROUP DESTROY', 'DEL', 'SET'] as const) {
      const fixture = await freshGroup(bench())
      const { key } = fixture.visits
      const { ended } = startConsumer(t, fixture, 'one')
      await appendVisits(fixture, 1)
      await untilDrained(fixture)
      if (loss === 'XGROUP DESTROY') await fixture.redis.send('XGROUP', 'DESTROY', key, 'desk')
      if (loss === 'DEL') await fixture.redis.send('DEL', key)
      if (loss === 'SET') await fixture.redis.send('SET', key, 'text')
      const error = await within(ended, { what: `the consumer to halt after ${loss}` })
      assert.ok(error instanceof MillraceError)
      assert.equal(error.code, loss === 'SET' ? 'WRONG_TYPE' : 'NO_GROUP')
      if (loss === 'DEL') assert.equal(await fixture.redis.send('EXISTS', key), 0)
    }
  })

  test('halts when its group is moved back while it waits, and applies nothing twice', async (t) => {
    const fixture = await freshGroup(bench())
    const { ended } = startConsumer(t, fixture, 'one')
    await appendVisits(fixture, 3)
    await untilDrained(fixture)
    // The new one wakes whoever waits, before anybody comes to look where the group is.
    await Promise.all([
      fixture.redis.send('XGROUP', 'SETID', fixture.visits.key, 'desk', '0'),
      fixture.millrace.append(fixture.visits, visit(1)),
    ])
    const error = await within(ended, { what: 'the consumer to halt' })
    assert.ok(error instanceof MillraceError && error.code === 'GROUP_MOVED', String(error))
    const { guests } = await effects(fixture)
    assert.ok(guests === 3 || guests === 4, `${guests} took effect`)
  })

  test('halts with a clear error when there is no group', async () => {
    const model = visitModel(freshPrefix())
    const group = bench().millrace.group(model.visits, 'desk')
    const run = group.consumer('one', { projections: [model.guests] }).run()
    await assert.rejects(run, /Cannot read from stream "t\d+:visits": group "desk" does not exist/)
  })

  test('applies once when the connection is cut between a request and its reply', async (t) => {
    for (const match of ['EVALSHA', 'XREADGROUP', 'XADD']) {
      const proxy = await startProxy(bench().server.port)
      t.after(() => proxy.close())
      const direct = await freshGroup(bench())
      const millrace = await connectFor(t, { url: proxy.url })
      const group = millrace.group(direct.visits, 'desk')
      if (match === 'XADD') {
        proxy.cutBeforeReply(match)
        const lost = millrace.append(direct.visits, visit(1))
        await assert.rejects(
          lost,
          (error) => error instanceof MillraceError && error.code === 'DISCONNECTED',
        )
        // Unknown means unknown: this one was executed.
        assert.equal(await direct.redis.send('XLEN', direct.visits.key), 1)
        continue
      }
      await appendVisits(direct, 40)
      proxy.cutBeforeReply(match, 3)
      startConsumer(t, { ...direct, group }, 'one', {
        batch: 10,
        inHandMax: 10,
        claimAfterMs: 60_000,
      })
      await untilDrained(direct)
      assert.equal(proxy.cuts, 3)
      assert.deepEqual(await effects(direct), { guests: 40, rooms: 40 })
    }
  })

  test('goes on by itself after a silent connection', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const direct = await freshGroup(bench())
    const lost: string[] = []
    const millrace = await connectFor(t, {
      url: proxy.url,
      onDisconnect: ({ code }) => void lost.push(code),
    })
    startConsumer(t, { ...direct, group: millrace.group(direct.visits, 'desk') }, 'one')
    await appendVisits(direct, 5)
    await untilDrained(direct)
    proxy.blackHole(true)
    await direct.millrace.append(direct.visits, visit(1))
    await waitFor(() => lost.length > 0, { what: 'the silence to be noticed', timeoutMs: 15_000 })
    assert.deepEqual(lost, ['TIMEOUT'])
    proxy.blackHole(false)
    await waitFor(async () => (await effects(direct)).guests === 6, { what: 'the entry' })
  })

  test('halts before anything is written when two projections meet in one key', async (t) => {
    const fixture = await freshGroup(bench())
    // Not the same shape, and yet the same key for guest 13 and room 3.
    const byGuest = projection(`${fixture.prefix}:both:{guest}`, { visits: count() })
    const byRoom = projection(`${fixture.prefix}:both:1{room}`, { visits: count() })
    await fixture.millrace.append(fixture.visits, { guest: 13, room: 3, stars: 1 })
    const { ended } = startConsumer(t, fixture, 'one', { projections: [byGuest, byRoom] })
    const error = await within(ended, { what: 'the consumer to halt' })
    assert.match(String(error), /two projections meet in the key "t\d+:both:13"/)
    assert.equal(await fixture.redis.send('EXISTS', `${fixture.prefix}:both:13`), 0)
  })
})

onOldestAndNewest('consumer whose server is away for long', (bench) => {
  test('tries every second or two, goes on when it is back, and stops at once meanwhile', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const direct = await freshGroup(bench())
    const millrace = await connectFor(t, { url: proxy.url })
    const fixture = { ...direct, group: millrace.group(direct.visits, 'desk') }
    const { consumer, ended } = startConsumer(t, fixture, 'one')
    await appendVisits(direct, 1)
    await untilDrained(direct)

    const tries: number[] = []
    const nobody = createServer((socket) => {
      tries.push(performance.now())
      socket.destroy()
    }).listen(0, '127.0.0.1')
    t.after(() => nobody.close())
    await once(nobody, 'listening')
    const away = (): void => proxy.pointTo((nobody.address() as AddressInfo).port)

    away()
    const gap = (last: number): number => (tries.at(last) ?? 0) - (tries.at(last - 1) ?? Infinity)
    await waitFor(() => gap(-1) >= 750, { what: 'the waits to grow' })
    const grown = tries.length
    await waitFor(() => tries.length >= grown + 2, { what: 'two more tries' })
    for (const last of [-1, -2]) assert.ok(gap(last) >= 750 && gap(last) <= 4000, `${gap(last)} ms`)
    proxy.pointTo(bench().server.port)
    await direct.millrace.append(direct.visits, visit(1))
    await untilDrained(direct)
    assert.deepEqual(await effects(direct), { guests: 2, rooms: 2 })

    away()
    await waitFor(() => !millrace.isConnected, { what: 'the loss to be noticed' })
    await within(consumer.stop(), { what: 'the consumer to stop' })
    assert.equal(await ended, undefined)
  })
})
