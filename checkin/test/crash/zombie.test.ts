/** A processor that is frozen while it holds entries, until they are claimed, and then goes on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Stage } from './stage.ts'

const rounds = 5

const zombies = (bench: () => Bench): void => {
  test('applies nothing that others have claimed meanwhile', async (t) => {
    const stage = await Stage.open(bench().server.url)
    t.after(() => stage.close())
    const pulling = ['--pull', '--batch', '50', '--claim-after', '500ms']
    const zombie = await stage.startProcessor('zombie', ...pulling)
    for (let round = 0; round < rounds; round += 1) {
      // Freeze it while it holds entries: the server is slow for a moment, so that its reply is still to come.
      await freezeWithEntries(stage, zombie)
      const survivor = await stage.startProcessor('survivor', '--claim-after', '500ms', '--drain')
      const { code } = await survivor.exited
      assert.equal(code, 0)
      zombie.kill('SIGCONT')
      await waitFor(() => superseded(stage) > round, { what: 'the zombie to be refused' })
    }
    await stage.untilDrained()
    const appended = await stage.verdict()
    await stage.stopProcessors([zombie])
    const claimed = stage.sumOf(/Claimed (\d+) checkins?/g)
    t.diagnostic(
      `${appended} entries, ${claimed} claimed, ${superseded(stage)} refusals of the zombie`,
    )
    assert.ok(claimed > 0 && superseded(stage) >= rounds, 'void: the fault did not bite')
  })

  test('that folded in the server applies nothing once another process has its name', async (t) => {
    await bench().redis.send('FLUSHALL')
    const stage = await Stage.open(bench().server.url)
    t.after(() => stage.close())
    const zombie = await stage.startProcessor('twin', '--claim-after', '500ms')
    stage.startAppending(200, 1)
    await waitFor(async () => (await stage.group.describe()).lastDeliveredId !== '0-0', {
      what: 'the first entries to be folded',
    })
    zombie.kill('SIGSTOP')
    await stage.stopAppending()
    const successor = await stage.startProcessor('twin', '--claim-after', '500ms', '--drain')
    assert.equal((await successor.exited).code, 0)
    // Another holder for good, so that the zombie meets it whenever it wakes.
    const last = await stage.startProcessor('twin', '--claim-after', '500ms')
    await stage.untilHeldBy(last.pid)
    zombie.kill('SIGCONT')
    const { code, stderr, stdout } = await zombie.exited
    assert.equal(code, 1, stdout)
    assert.match(stderr, /another process has its name now/)
    stage.startAppending(200, 1)
    await waitFor(async () => (await stage.group.describe()).streamLength > 1000, {
      what: 'more entries',
    })
    await stage.stopAppending()
    await stage.untilDrained()
    await stage.verdict()
    await stage.stopProcessors([last])
  })
}

// They work on the same keys.
onOldestAndNewest('zombie', zombies, { concurrency: false })

const superseded = (stage: Stage): number => [...stage.output.matchAll(/Superseded/g)].length

/** Stops the process at a moment when it holds delivered entries. */
async function freezeWithEntries(
  stage: Stage,
  zombie: { kill(signal: NodeJS.Signals): void },
): Promise<void> {
  stage.startAppending(200, 1)
  await waitFor(
    async () => {
      zombie.kill('SIGSTOP')
      const { pending } = await stage.group.describe()
      if (pending > 0) return true
      zombie.kill('SIGCONT')
      return false
    },
    { what: 'the zombie to hold entries', everyMs: 1 },
  )
  await stage.stopAppending()
}
