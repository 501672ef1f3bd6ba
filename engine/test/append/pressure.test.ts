/** The signal by which a producer holds back. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Pressure, type PressureOptions, type PressureState } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
  visitModel,
} from '../stage/fixture.ts'
import type { Fixture } from '../stage/fixture.ts'
import { acknowledge } from '../stage/retention.ts'

interface Watched {
  readonly pressure: Pressure
  /** The kinds and reasons that it went through. */
  readonly states: string[]
}

/** Samples every 20 ms until the test ends; only the named limits are on. */
function watch(
  t: TestContext,
  { millrace, visits }: Pick<Fixture, 'millrace' | 'visits'>,
  options: PressureOptions,
): Watched {
  const states: string[] = []
  const off = { backlogMax: 0, memoryShareMax: 0, eventLoopDelayMaxMs: 0, everyMs: 20 }
  const onChange = (state: PressureState): void => void states.push(nameOf(state))
  const pressure = new Pressure(millrace, visits, { ...off, onChange, ...options })
  const run = pressure.run()
  t.after(async () => {
    await pressure.stop()
    await run
  })
  return { pressure, states }
}

function nameOf(state: PressureState): string {
  return state.kind === 'free' ? state.kind : state.reason
}

const until = (pressure: Pressure, name: string): Promise<unknown> =>
  waitFor(() => nameOf(pressure.state) === name, { what: `the state ${name}` })

const untilBacklog = (pressure: Pressure, backlog: number | null): Promise<unknown> =>
  waitFor(() => pressure.sample.backlog === backlog && pressure.sample.eventLoopDelayMs !== null, {
    what: `a backlog of ${String(backlog)}`,
  })

onEachServer('pressure', (bench) => {
  test('rises with the undelivered and pending entries, and falls below nine tenths of the limit', async (t) => {
    const fixture = await freshGroup(bench())
    const { pressure, states } = watch(t, fixture, { backlogMax: 20 })
    assert.deepEqual(pressure.state, { kind: 'free' })
    await appendVisits(fixture, 20)
    await untilBacklog(pressure, 20)
    assert.equal(pressure.state.kind, 'free')
    await fixture.millrace.append(fixture.visits, { guest: 1, room: 1, stars: 1 })
    await until(pressure, 'backlog')
    assert.deepEqual(pressure.state, { kind: 'overloaded', reason: 'backlog', retryAfterMs: 40 })
    await readAndDie(fixture, 'ada', 10)
    await untilBacklog(pressure, 21)
    await acknowledge(fixture, 1, 2)
    await untilBacklog(pressure, 19)
    assert.equal(pressure.state.kind, 'overloaded')
    await acknowledge(fixture, 3)
    await until(pressure, 'free')
    assert.deepEqual(states, ['backlog', 'free'])
  })

  test('sees the group that has most of it, whatever it is named', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 12)
    await readAndDie(fixture, 'ada', 12)
    await acknowledge(fixture, 1, 2, 3)
    const { pressure } = watch(t, fixture, {})
    await untilBacklog(pressure, 9)
    await redis.send('XGROUP', 'CREATE', visits.key, 'lag', '0')
    await untilBacklog(pressure, 12)
    // Turned off, no limit makes it overloaded.
    assert.deepEqual(pressure.state, { kind: 'free' })
  })

  test('counts where Redis does not know the lag, and believes no lag beyond the stream', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 3000)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    await redis.send('XGROUP', 'CREATE', visits.key, 'amid', '500-0')
    const { pressure } = watch(t, fixture, {})
    await untilBacklog(pressure, 2500)
    await redis.send('XGROUP', 'CREATE', visits.key, 'all', '0')
    await untilBacklog(pressure, 3000)
    await redis.send('XTRIM', visits.key, 'MAXLEN', '=', 100)
    await untilBacklog(pressure, 100)
  })

  test('sees no backlog in what others trimmed before it was delivered', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, millrace } = fixture
    const append = () =>
      millrace.appendMany(
        visits,
        Array.from({ length: 30 }, (_, n) => ({ values: visit(n) })),
      )
    await append()
    await readAndDie(fixture, 'one', 1)
    await redis.send('XTRIM', visits.key, 'MAXLEN', '=', 2)
    await append()
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    const { pressure, states } = watch(t, fixture, { backlogMax: 20 })
    await untilBacklog(pressure, 0)
    assert.deepEqual(states, [])
  })

  test('is free where there is no stream, and unknown where there is none of that type', async (t) => {
    const { millrace, redis } = bench()
    const { visits } = visitModel(freshPrefix())
    const { pressure } = watch(t, { millrace, visits }, { backlogMax: 1 })
    await untilBacklog(pressure, 0)
    await redis.send('SET', visits.key, 'text')
    await untilBacklog(pressure, null)
    assert.equal(pressure.state.kind, 'free')
    assert.equal(pressure.sample.memoryShare, null, 'this server has no maxmemory')
  })

  test('rises when this process lets its events wait', async (t) => {
    const fixture = await freshGroup(bench())
    const { pressure } = watch(t, fixture, { eventLoopDelayMaxMs: 200 })
    await untilBacklog(pressure, 0)
    const blockedUntil = performance.now() + 400
    while (performance.now() < blockedUntil);
    await until(pressure, 'event-loop')
    await until(pressure, 'free')
  })

  test('refuses options that make no sense', () => {
    const { millrace } = bench()
    const { visits } = visitModel(freshPrefix())
    for (const options of [
      { backlogMax: -1 },
      { memoryShareMax: 80 },
      { eventLoopDelayMaxMs: NaN },
      { everyMs: 0 },
    ]) {
      assert.throws(() => new Pressure(millrace, visits, options), RangeError)
    }
  })
})

onEachServer(
  'pressure of the whole server',
  (bench) => {
    test('rises with the share of maxmemory in use', async (t) => {
      const fixture = await freshGroup(bench())
      const { pressure } = watch(t, fixture, { memoryShareMax: 0.8 })
      const limit = (to: string): Promise<unknown> =>
        fixture.redis.send('CONFIG', 'SET', 'maxmemory', to)
      await limit('1gb')
      await waitFor(() => pressure.sample.memoryShare !== null, { what: 'a share' })
      assert.equal(pressure.state.kind, 'free')
      await limit('1mb')
      await until(pressure, 'memory')
      await limit('1gb')
      await until(pressure, 'free')
    })

    test('keeps what it knew while the server is frozen, and stops all the same', async (t) => {
      const direct = await freshGroup(bench())
      const millrace = await connectFor(t, { url: bench().server.url })
      const { pressure } = watch(t, { ...direct, millrace }, { backlogMax: 2 })
      await appendVisits(direct, 3)
      await until(pressure, 'backlog')
      bench().server.pause()
      t.after(() => bench().server.resume())
      const delay = pressure.sample.eventLoopDelayMs
      await waitFor(() => pressure.sample.eventLoopDelayMs !== delay, { what: 'another sample' })
      assert.equal(pressure.sample.backlog, 3)
      await within(pressure.stop(), { what: 'the end of sampling', timeoutMs: 1000 })
    })
  },
  { concurrency: false },
)
