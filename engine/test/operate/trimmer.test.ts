/** The trimmer at work: beside consumers that run, stall and pause, and as a role that is run and stopped. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError, Trimmer, type TrimOutcome } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
  type Fixture,
} from '../stage/fixture.ts'
import { claimAll, kept, trim } from '../stage/retention.ts'

onEachServer('trimmer', (bench) => {
  test('never overtakes anybody while consumers, a slow group and a paused one run', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, millrace, prefix } = fixture
    for (const group of ['slow', 'paused']) {
      await redis.send('XGROUP', 'CREATE', visits.key, group, '0')
    }
    const total = 6000
    let stage = 0
    let runs = 0
    let removed = 0
    const trimmer = new Trimmer(millrace, visits, {
      everyMs: 1,
      batch: 97,
      observer: {
        ran: (outcome) => {
          runs += 1
          if (outcome.kind === 'trimmed') removed += outcome.removed
        },
      },
    })
    const trimming = trimmer.run()
    t.after(() => trimmer.stop())
    // A consumer of the third group holds entries of its first read and reads no more.
    const parked = ['XREADGROUP', 'GROUP', 'paused', 'parked', 'COUNT', '40']
    const appending = (async () => {
      for (let at = 0; at < total; at += 50) {
        const additions = Array.from({ length: 50 }, (_, n) => ({
          ...{ values: visit(at + n), id: `${at + n + 1}-0` },
        }))
        await millrace.appendMany(visits, additions)
      }
    })()
    startConsumer(t, fixture, 'one', { batch: 50 })
    startConsumer(t, fixture, 'two', { batch: 20 })
    await waitFor(async () => Number(await redis.send('XLEN', visits.key)) > 500, { what: '500' })
    await redis.send(...parked, 'STREAMS', visits.key, '>')
    const before = runs
    await waitFor(() => runs > before + 5, { what: 'the trimmer to run on' })
    assert.equal((await kept(fixture))[0], 1, 'the parked entries and those before them stay')
    // Now the two slow groups work off, out of order: newest pending first.
    for (const group of ['slow', 'paused']) {
      stage += 1
      const seen = new Set<string>()
      await appending
      for (;;) {
        const read = ['XREADGROUP', 'GROUP', group, `late${stage}`, 'COUNT', '300']
        const reply = (await redis.send(...read, 'STREAMS', visits.key, '>')) as
          [string, [string, string[]][]][] | null
        const fresh = (reply?.[0]?.[1] ?? []).map(([id]) => id).reverse()
        const { ids: claimed, lost } = await claimAll(fixture, group, `late${stage}`)
        assert.deepEqual(lost, [], 'no pending entry has lost its body')
        const ids = [...fresh, ...claimed.reverse()]
        if (ids.length === 0) break
        for (const id of ids) {
          seen.add(id)
          await redis.send('XACK', visits.key, group, id)
        }
      }
      assert.equal(seen.size, total, `group ${group} has seen every entry`)
    }
    await untilDrained(fixture)
    await waitFor(() => removed === total - 1, { what: 'all but the last entry to be trimmed' })
    await trimmer.stop()
    await trimming
    assert.deepEqual(await effects(fixture), { guests: total, rooms: total })
    assert.equal(await redis.send('EXISTS', `${prefix}:visits:desk:dead`), 0)
    assert.equal((await kept(fixture))[0], total)
  })

  test('takes no body of a pending entry at full speed, whatever consumers leave behind', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 1500)
    let isOver = false
    const trimming = (async () => {
      while (!isOver) await trim(fixture, { batch: 33 })
    })()
    const lost: string[] = []
    const applied = new Set<string>()
    for (let round = 0; round < 150; round += 1) {
      await readAndDie(fixture, `c${round % 5}`, 10)
      const { ids, lost: gone } = await claimAll(fixture, 'desk', `c${(round + 1) % 5}`)
      lost.push(...gone)
      // The newest first; the older half waits for a later round.
      for (const id of ids.reverse().slice(0, Math.ceil(ids.length / 2))) {
        applied.add(id)
        await redis.send('XACK', visits.key, 'desk', id)
      }
    }
    const rest = await claimAll(fixture, 'desk', 'last')
    lost.push(...rest.lost)
    for (const id of rest.ids) applied.add(id)
    isOver = true
    await trimming
    assert.deepEqual(lost, [])
    assert.equal(applied.size, 1500)
  })

  test('runs until it is stopped, tells of each run, and runs once', async () => {
    const fixture = await freshGroup(bench())
    const { millrace, visits } = fixture
    const outcomes: TrimOutcome[] = []
    const observer = { ran: (outcome: TrimOutcome) => void outcomes.push(outcome) }
    const trimmer = new Trimmer(millrace, visits, { everyMs: 5, observer })
    const run = trimmer.run()
    await waitFor(() => outcomes.length >= 3, { what: 'three runs' })
    await assert.rejects(trimmer.run(), /runs once/)
    await within(trimmer.stop(), { what: 'the trimmer to stop' })
    await trimmer.stop()
    await run
    const signal = AbortSignal.timeout(30)
    await within(new Trimmer(millrace, visits, { signal }).run(), { what: 'the end by signal' })
    assert.throws(() => new Trimmer(millrace, visits, { everyMs: 0 }), RangeError)
    assert.throws(() => new Trimmer(millrace, visits, { keepEntries: -1 }), RangeError)
  })

  test('waits out what passes, and ends with what does not', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    let attempts = 0
    let runs = 0
    const failed: string[] = []
    // The seam to Redis, made to fail twice.
    const flaky = {
      trim: ((stream, options) => {
        attempts += 1
        if (attempts <= 2) return Promise.reject(new MillraceError('SERVER_BUSY', 'BUSY'))
        return fixture.millrace.trim(stream, options)
      }) as Fixture['millrace']['trim'],
    }
    const observer = { ran: () => void (runs += 1), failed: (e: Error) => void failed.push(e.name) }
    const run = new Trimmer(flaky, visits, { everyMs: 1, observer }).run()
    const ended = run.catch((error: unknown) => error)
    await waitFor(() => runs > 0, { what: 'a run after two failures' })
    assert.equal(failed.length, 2)
    await redis.send('DEL', visits.key)
    const error = await within(ended, { what: 'the trimmer to end' })
    assert.ok(error instanceof MillraceError && error.code === 'NO_STREAM')
  })
})
