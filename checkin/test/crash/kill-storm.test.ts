/** Four processors, killed with -9 at random again and again while check-ins arrive. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { MainProcess } from '../../../testing/processes.ts'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { Stage } from './stage.ts'

const kills = 10

onOldestAndNewest('kill -9 storm', (bench) => {
  test('loses and doubles nothing', async (t) => {
    const stage = await Stage.open(bench().server.url)
    t.after(() => stage.close())
    // Small batches make many edges to be killed at.
    const flags = ['--batch', '40', '--claim-after', '400ms']
    const running: MainProcess[] = []
    // Every other one pulls: the rest folds in the server, and nothing is ever pending for it.
    const start = async (number: number): Promise<void> => {
      const mode = number % 2 === 0 ? ['--pull'] : []
      running.push(await stage.startProcessor(`consumer${number}`, ...flags, ...mode))
    }
    for (const number of [1, 2, 3, 4]) await start(number)
    stage.startAppending(400, 5)
    for (let kill = 0; kill < kills; kill += 1) {
      // Wherever the processor happens to be: that is the point.
      await delay(100 + stage.random() * 200)
      const [victim] = running.splice(Math.floor(stage.random() * running.length), 1)
      victim?.kill('SIGKILL')
      await victim?.exited
      // Under a new name, so that only a claim can save what the dead one held.
      await start(5 + kill)
    }
    await stage.stopAppending()
    await stage.untilDrained()
    const appended = await stage.verdict()
    await stage.stopProcessors(running)
    const claimed = stage.sumOf(/Claimed (\d+) checkins?/g)
    t.diagnostic(`${appended} entries, ${kills} kills, ${claimed} claimed`)
    assert.ok(claimed > 0 && appended > 2000, 'void: the fault did not bite')
  })
})
