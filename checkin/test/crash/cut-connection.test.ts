/** Processors and receiver behind a proxy that loses replies: the request was executed, its outcome is unknown. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { Stage } from './stage.ts'

const cutsOfEach = 4

onEachServer('lost replies', (bench) => {
  test('of append, read and apply lose and double nothing', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const stage = await Stage.open(proxy.url)
    t.after(() => stage.close())
    const flags = ['--batch', '50', '--claim-after', '500ms']
    const running = [
      await stage.startProcessor('consumer1', ...flags, '--pull'),
      await stage.startProcessor('consumer2', ...flags),
    ]
    stage.startAppending(100, 5)
    for (let round = 0; round < cutsOfEach; round += 1) {
      for (const command of ['XADD', 'XREADGROUP', 'EVALSHA']) {
        const before = proxy.cuts
        proxy.cutBeforeReply(command)
        while (proxy.cuts === before) await delay(10)
      }
    }
    await stage.stopAppending()
    await stage.untilDrained()
    const appended = await stage.verdict()
    await stage.stopProcessors(running)
    t.diagnostic(`${appended} entries, ${proxy.cuts} replies lost`)
    assert.ok(proxy.cuts >= 3 * cutsOfEach, 'void: the fault did not bite')
  })
})
