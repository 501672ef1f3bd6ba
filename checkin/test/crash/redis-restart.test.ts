/** redis-server, killed with -9 and started again, while check-ins arrive and are processed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { Stage } from './stage.ts'

const kills = 5

onOldestAndNewest(
  'redis-server killed with -9',
  (bench) => {
    test('loses and doubles nothing, and processors go on by themselves', async (t) => {
      const { server } = bench()
      const stage = await Stage.open(server.url)
      t.after(() => stage.close())
      const running = [
        await stage.startProcessor('consumer1', '--batch', '50', '--claim-after', '1s'),
        await stage.startProcessor('consumer2', '--batch', '50', '--claim-after', '1s'),
      ]
      for (let kill = 0; kill < kills; kill += 1) {
        stage.startAppending(300, 5)
        await delay(200 + stage.random() * 200)
        await server.kill9()
        await stage.stopAppending()
        await server.restart()
      }
      await stage.untilDrained()
      const appended = await stage.verdict()
      await stage.stopProcessors(running)
      const lost = [...stage.output.matchAll(/Connection to Redis lost/g)].length
      t.diagnostic(`${appended} entries, ${kills} kills, ${lost} lost connections noticed`)
      assert.ok(lost >= kills, 'void: the processors did not notice')
    })
  },
  { appendonly: 'always' },
)
