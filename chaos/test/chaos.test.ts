/** Test 3 to 5, 7, 12, 14, 15 and 18 to 21 mixed, for a moment; `npm run chaos` does it for as long as asked. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runScript } from '../../testing/processes.ts'
import { oldestAndNewest, whyNotOn } from '../../testing/redis-servers.ts'
import { mayTake } from '../../testing/time-limit.mjs'
import { seedOfRun } from '../../testing/seeded-random.ts'
import { renderRun } from '../report.ts'
import { run } from '../run.ts'

// Faults wait more than they work.
describe('chaos', { concurrency: 2 }, () => {
  for (const server of oldestAndNewest) {
    const skip = whyNotOn(server)
    test(`chaos of all kinds, on ${server}, loses and doubles nothing`, { skip }, async (t) => {
      // It tells more than a limit does when something is stuck: after 60 s, or 180 s for a fault.
      mayTake(t, 270)
      const result = await run({ server, seed: seedOfRun, minutes: 0 })
      const report = renderRun(result)
      t.diagnostic(
        `seed ${seedOfRun}, ${result.seconds} s, slowest recovery ${Math.max(...result.recoveries)} ms`,
      )
      assert.equal(result.verdict, 'ok', report)
    })
  }
})

for (const args of [
  ['--server', 'other'],
  ['--minutes', 'x'],
  ['--seed', '-1'],
  ['--control', 'none'],
]) {
  test(`chaos ${args.join(' ')} is wrong usage`, async () => {
    const { code, stderr } = await runScript('chaos/main.ts', args).exited
    assert.equal(code, 2, stderr)
  })
}
