/** What a process says of its work while it works: for people each second, for programs a line a minute, with fields whose names stay. */
import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { checkinModel } from '../../src/domain/checkins.ts'
import { Activity } from '../../src/processors/activity.ts'
import { logIngest } from '../../src/receiver/operation/ingest-log.ts'
import { collectingLog } from '../stage/receiver-stage.ts'

const backlog = { lag: 7, pending: 2, oldestUndeliveredMs: 1500, deadLetters: 1 }

function activity(t: TestContext, isForPrograms: boolean) {
  t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const { log, lines, logged } = collectingLog()
  const told: number[] = []
  const one = new Activity({
    ...{ log, name: 'one', model: checkinModel('ncc'), isDetailed: false, isForPrograms },
    backlog: () => Promise.resolve(backlog),
    counts: () => ({ claimed: 3, retried: 0, superseded: 4 }),
    onProcessed: (count) => void told.push(count),
  })
  one.started()
  t.after(() => one.ended())
  /** So many seconds with 2,000 check-ins each. */
  const work = async (seconds: number): Promise<void> => {
    for (let n = 0; n < seconds; n += 1) {
      one.folded(2000)
      t.mock.timers.tick(1000)
      await setImmediate()
    }
  }
  const summaries = () => lines.filter((line) => line.includes('Processed'))
  return { work, summaries, logged, told, tick: t.mock.timers.tick.bind(t.mock.timers) }
}

test('a processor tells programs once a minute what it did, in fields, and nothing when it did nothing', async (t) => {
  const { work, summaries, logged, told, tick } = activity(t, true)
  await work(59)
  assert.deepEqual(summaries(), [])
  await work(1)
  assert.equal(summaries().length, 1)
  const line = logged.find(({ event }) => event === 'summary')
  const fields: Readonly<Record<string, unknown>> = line ?? {}
  assert.ok(Number(fields.rate) > 0)
  for (const [name, value] of Object.entries({
    ...{ consumer: 'one', done: 120_000, total: 120_000, lag: 7, timeLagMs: 1500, pending: 2 },
    ...{ deadLetters: 1, claimed: 3, retried: 0, superseded: 4 },
  })) {
    assert.equal(fields[name], value, name)
  }
  assert.equal(told.length, 60, 'whoever counts along is told each second')
  tick(120_000)
  await setImmediate()
  assert.equal(summaries().length, 1)
})

test('a processor tells people each second', async (t) => {
  const { work, summaries } = activity(t, false)
  await work(3)
  assert.equal(summaries().length, 3)
})

test('a receiver tells once a minute what became of the check-ins that were sent', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { log, logged } = collectingLog()
  let counts: Record<string, number> = {}
  const end = logIngest(log, () => counts)
  t.mock.timers.tick(60_000)
  assert.equal(logged.length, 0)
  counts = { accepted: 120_000, invalid: 3 }
  t.mock.timers.tick(60_000)
  counts = { accepted: 120_000, invalid: 3, unavailable: 5 }
  t.mock.timers.tick(60_000)
  const [first, second, ...more] = logged
  assert.deepEqual([first?.accepted, first?.invalid, first?.event], [120_000, 3, 'summary'])
  assert.match(first?.msg ?? '', /^Took 120,000 check-ins, [\d,]+\/s, invalid 3\.$/)
  assert.deepEqual([second?.accepted, second?.invalid, second?.unavailable], [0, undefined, 5])
  assert.deepEqual(more, [])
  end()
})
