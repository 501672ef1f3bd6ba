/** Handlers that take long or never end: how many entries they hold, and how they are left behind. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { MillraceError, Trimmer, type Handler } from 'millrace'
import { ReadAhead } from '../../src/handle/read-ahead.ts'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  type VisitFields,
} from '../stage/fixture.ts'

const never = (): Promise<never> => new Promise<never>(() => undefined)
const longMs = 3_600_000

test('read-ahead holds a tenth of a second of work, at least two for each handler', () => {
  const most = 3000
  const after = (ms: number, calls: number): number => {
    const ahead = new ReadAhead({ concurrency: 10, most })
    for (let call = 0; call < calls; call += 1) ahead.note(ms)
    return ahead.count
  }
  assert.equal(after(0, 0), 20)
  assert.equal(after(100, 500), 20)
  assert.equal(after(10, 500), 100)
  assert.equal(after(0.001, 10_000), most)
  // It grows by what it has seen, and shrinks at once.
  assert.equal(after(0.001, 19), 20)
  assert.equal(after(0.001, 20), 40)
  const ahead = new ReadAhead({ concurrency: 10, most })
  for (let call = 0; call < 10_000; call += 1) ahead.note(0.001)
  for (let call = 0; call < 16; call += 1) ahead.note(1000)
  assert.equal(ahead.count, 20)
  assert.equal(new ReadAhead({ concurrency: 10, most: 5 }).count, 5)
})

onEachServer('consumer with a handler', (bench) => {
  test('holds twice what it handles at a time, so that a second one shares', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 600)
    const release = new AbortController()
    t.after(() => release.abort())
    const handled: Record<string, number> = {}
    const start = (name: string) =>
      startConsumer(t, fixture, name, {
        concurrency: 10,
        handler: async () => {
          handled[name] = (handled[name] ?? 0) + 1
          if (!release.signal.aborted) await once(release.signal, 'abort')
        },
      })
    start('one')
    await waitFor(() => handled.one === 10, { what: 'the first one to begin' })
    const pending = async () => (await fixture.group.describe()).pending
    await waitFor(async () => (await pending()) === 20, { what: 'its hand to be full' })
    start('two')
    await waitFor(() => handled.two === 10, { what: 'the second one to begin' })
    await waitFor(async () => (await pending()) === 40, { what: 'both hands to be full' })
    release.abort()
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 600, rooms: 600 })
  })

  test('goes on when one never ends: after timeoutMs the attempt has failed', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    const errors = new Set<string>()
    const reasons: unknown[] = []
    const late: (() => void)[] = []
    const { consumer } = startConsumer(t, fixture, 'one', {
      timeoutMs: 150,
      attemptsMax: 2,
      handler: async ({ id }, { signal }) => {
        if (id !== '3-0') return undefined
        signal.addEventListener('abort', () => reasons.push((signal.reason as Error).name))
        await new Promise<void>((resolve) => late.push(resolve))
        return undefined
      },
      retry: ({ error }) => {
        errors.add((error as Error).name)
        return { kind: 'retry', afterMs: 1 }
      },
    })
    await untilDrained(fixture)
    // What they say now comes too late.
    for (const end of late) end()
    const { letters } = await fixture.group.deadLetters.list()
    assert.deepEqual(
      letters.map(({ entryId, attempts, error }) => [entryId, attempts, error]),
      [['3-0', 2, 'the handler took longer than 150 ms (attempt 2 of 2)']],
    )
    assert.deepEqual([...errors, ...reasons], ['TimeoutError', 'TimeoutError', 'TimeoutError'])
    assert.equal(consumer.counts.applied, 9)
    assert.deepEqual(await effects(fixture), { guests: 9, rooms: 9 })
  })

  test('aborts the signal of a handler with a limit when it stops', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 30)
    let running = 0
    const handler: Handler<VisitFields> = async (_entry, { signal }) => {
      running += 1
      await once(signal, 'abort')
      throw new Error('broken off')
    }
    const options = { concurrency: 15, timeoutMs: longMs, attemptsMax: 1, handler }
    const { consumer, ended } = startConsumer(t, fixture, 'one', options)
    const inFlight = async () => (await fixture.group.describe()).pending
    await waitFor(async () => running === 15 && (await inFlight()) === 30, {
      what: 'the handlers to begin, with a full hand',
    })
    await consumer.stop()
    assert.equal(await ended, undefined)
    const { pending, deadLetters } = await fixture.group.describe()
    assert.deepEqual([pending, deadLetters], [30, 0])
  })
})

onEachServer('stop', (bench) => {
  test('within a time gives back what hangs, and others have it at once', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    const late: ((outcome: undefined) => void)[] = []
    const { consumer, ended } = startConsumer(t, fixture, 'hanging', {
      claimAfterMs: longMs,
      inHandMax: 10,
      handler: () => new Promise<undefined>((resolve) => late.push(resolve)),
    })
    const inFlight = async () => (await fixture.group.describe()).pending
    await waitFor(async () => late.length === 1 && (await inFlight()) === 10, {
      what: 'the handler to hang, with a full hand',
    })
    // Whoever waits already is hurried by the second call.
    const patient = consumer.stop()
    await within(consumer.stop({ withinMs: 20 }), { what: 'the end' })
    await patient
    assert.equal(await ended, undefined)
    const other = startConsumer(t, fixture, 'other', { claimAfterMs: longMs })
    await untilDrained(fixture)
    await other.consumer.stop()
    assert.equal(other.consumer.counts.claimed, 10)
    // Nobody listens to it any more.
    for (const end of late) end(undefined)
    assert.equal(consumer.counts.applied, 0)
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
  })

  test('within a time ends when an observer keeps what is applied already', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3)
    const { consumer, ended } = startConsumer(t, fixture, 'one', { observer: { applied: never } })
    await untilDrained(fixture)
    await within(consumer.stop({ withinMs: 0 }), { what: 'the end' })
    assert.equal(await ended, undefined)
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
    for (const withinMs of [-1, Number.NaN]) {
      await assert.rejects(consumer.stop({ withinMs }), RangeError)
    }
  })
})

onEachServer('close', (bench) => {
  test('ends what runs, and nothing runs on it afterwards', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 5)
    const millrace = await connectFor(t, { url: bench().server.url })
    const group = millrace.group(fixture.visits, 'desk')
    let isHanging = false
    const consumer = group.consumer('one', {
      handler: async () => {
        isHanging = true
        await never()
      },
    })
    const { prefix, visits, guests } = fixture
    const reading = { name: 'r', positionKey: `${prefix}:at`, projections: [guests] }
    const runs = [consumer.run(), millrace.reader(visits, reading).run()]
    await waitFor(() => isHanging, { what: 'the handler to hang' })
    await within(millrace.close({ withinMs: 50 }), { what: 'the end' })
    await within(Promise.all(runs), { what: 'both to end' })
    const isClosed = (error: unknown) => error instanceof MillraceError && error.code === 'CLOSED'
    await assert.rejects(group.consumer('two', { projections: [guests] }).run(), isClosed)
    await assert.rejects(millrace.reader(visits, reading).run(), isClosed)
    await assert.rejects(new Trimmer(millrace, visits, { everyMs: 1 }).run(), isClosed)
    startConsumer(t, fixture, 'other', { claimAfterMs: longMs })
    await untilDrained(fixture)
  })
})
