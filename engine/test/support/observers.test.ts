/** Observers are for logging: one that throws or rejects ends nothing, and loses nothing. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Pressure, Trimmer, type ConsumerObserver } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  age,
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
  type VisitFields,
} from '../stage/fixture.ts'

const failing = (name: string) => (): never => {
  throw new Error(`a bug in ${name}`)
}
const rejecting = (name: string) => () => Promise.reject(new Error(`a bug in ${name}`)) as never

/** The warnings about an observer; the list grows. */
function warningsOf(t: TestContext, whose: string): string[] {
  const warnings: string[] = []
  const onWarning = (warning: Error & { code?: string }): void => {
    const isOurs = warning.code === 'MILLRACE_OBSERVER' && warning.message.includes(whose)
    if (isOurs) warnings.push(warning.message)
  }
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  return warnings
}

onEachServer('observer that fails', (bench) => {
  for (const [how, fail] of Object.entries({ throws: failing, rejects: rejecting })) {
    test(`(${how}) in everything stops no consumer, and is warned of once for each`, async (t) => {
      const fixture = await freshGroup(bench())
      const names = [
        'started',
        'delivered',
        'applied',
        'deadLettered',
        'retried',
        'waiting',
        'paused',
      ] as const
      const observer: ConsumerObserver<VisitFields> = Object.fromEntries(
        names.map((name) => [name, fail(name)]),
      )
      const name = `${how}-${bench().kind}`
      const warnings = warningsOf(t, `consumer "${name}"`)
      await appendVisits(fixture, 30)
      await readAndDie(fixture, 'dead', 3)
      await age(fixture, 'dead', 3_600_000)
      const { consumer } = startConsumer(t, fixture, name, {
        batch: 5,
        claimAfterMs: 200,
        observer,
        handler: ({ id }, { attempt }) => {
          if (id === '7-0') return { kind: 'dead-letter', reason: 'no' }
          return id === '8-0' && attempt === 1 ? { kind: 'retry', afterMs: 1 } : undefined
        },
      })
      await untilDrained(fixture)
      await fixture.group.pause({ consumer: name })
      const hasAll = () => names.every((one) => warnings.some((text) => text.includes(`"${one}"`)))
      await waitFor(hasAll, { what: 'a warning for each' })
      assert.equal(warnings.length, names.length)
      assert.match(warnings[0] ?? '', /failed in "\w+": a bug in \w+\. The work goes on/)
      assert.deepEqual(consumer.counts, {
        ...{ applied: 29, deadLettered: 1, claimed: 3, retried: 1, superseded: 0 },
      })
      assert.deepEqual(await effects(fixture), { guests: 29, rooms: 29 })
    })
  }

  test('stops no push-down', async (t) => {
    const fixture = await freshGroup(bench())
    const observer = { folded: failing('folded'), waiting: failing('waiting') }
    startConsumer(t, fixture, 'pushing', { observer })
    await appendVisits(fixture, 10)
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
  })

  test('stops no reader, no trimmer and no pressure', async (t) => {
    const fixture = await freshGroup(bench())
    const { millrace, visits, guests, prefix, redis } = fixture
    await appendVisits(fixture, 10)
    await redis.send('XADD', visits.key, '99-0', 'guest', 'nobody')
    const reader = millrace.reader(visits, {
      name: 'r',
      positionKey: `${prefix}:position`,
      projections: [guests],
      batch: 3,
      drain: true,
      observer: {
        delivered: failing('delivered'),
        applied: rejecting('applied'),
        deadLettered: failing('deadLettered'),
        waiting: failing('waiting'),
      },
    })
    await reader.run()
    assert.equal((await effects(fixture)).guests, 10)
    let runs = 0
    const ran = (): never => {
      runs += 1
      throw new Error('a bug')
    }
    const trimmer = new Trimmer(millrace, visits, { everyMs: 5, observer: { ran } })
    t.after(() => trimmer.stop())
    const trimming = trimmer.run()
    await waitFor(() => runs > 2, { what: 'runs after the first bug' })
    await trimmer.stop()
    await trimming
    let changes = 0
    const onChange = (): never => {
      changes += 1
      throw new Error('a bug')
    }
    const pressure = new Pressure(millrace, visits, { everyMs: 20, backlogMax: 1, onChange })
    t.after(() => pressure.stop())
    const measuring = pressure.run()
    await millrace.append(visits, visit(1))
    await waitFor(() => changes > 0, { what: 'the pressure' })
    await pressure.stop()
    await measuring
  })

  test('stops no connection from coming back', async (t) => {
    const name = `lost-${bench().kind}`
    const warnings = warningsOf(t, `connection "${name}"`)
    const fixture = await freshGroup(bench())
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const callbacks = { onDisconnect: failing('onDisconnect'), onReconnect: failing('onReconnect') }
    const millrace = await connectFor(t, { url: proxy.url, name, ...callbacks })
    proxy.cutAll()
    await waitFor(() => warnings.length === 2 && millrace.isConnected, { what: 'the reconnect' })
    await millrace.append(fixture.visits, visit(1))
  })
})
