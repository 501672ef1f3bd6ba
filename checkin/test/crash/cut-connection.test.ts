/** Processors and receiver behind a proxy that loses replies: the request was executed, its outcome is unknown. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Stage } from './stage.ts'

const cutsOfEach = 4

/** On an empty server: an appender and two processors at work, all behind one proxy. */
async function workBehindProxy(t: TestContext, { server, redis }: Bench) {
  await redis.send('FLUSHALL')
  const proxy = await startProxy(server.port)
  t.after(() => proxy.close())
  const stage = await Stage.open(proxy.url)
  t.after(() => stage.close())
  const flags = ['--batch', '50', '--claim-after', '500ms']
  const running = [
    await stage.startProcessor('consumer1', ...flags, '--pull'),
    await stage.startProcessor('consumer2', ...flags),
  ]
  stage.startAppending(100, 5)
  return { proxy, stage, running }
}

onOldestAndNewest(
  'lost replies',
  (bench) => {
    test('of append, read and apply lose and double nothing', async (t) => {
      const { proxy, stage, running } = await workBehindProxy(t, bench())
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

    test('cut after any number of bytes, either way, loses and doubles nothing', async (t) => {
      const { proxy, stage, running } = await workBehindProxy(t, bench())
      const upTo = (most: number): number => 1 + Math.floor(stage.random() * most)
      let bites = 0
      for (const command of ['XADD', 'XREADGROUP', 'EVALSHA']) {
        for (const what of ['request', 'reply'] as const) {
          // Within the first line, within the rest, and all but the last byte.
          for (const bytes of [1, upTo(20), upTo(2000), Infinity]) {
            const before = proxy.cuts
            proxy.cutAmid(what, command, bytes)
            await waitFor(() => proxy.cuts > before, {
              what: `the ${what} of ${command} to be cut after ${bytes} bytes`,
              timeoutMs: 20_000,
            })
            bites += 1
          }
        }
      }
      await stage.stopAppending()
      await stage.untilDrained()
      const appended = await stage.verdict()
      await stage.stopProcessors(running)
      t.diagnostic(`${appended} entries, ${bites} cuts`)
    })
  },
  { concurrency: false },
)
