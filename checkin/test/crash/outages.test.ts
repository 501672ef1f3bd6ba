/** Tests 18 and 21: the server stops to serve for a while, in many ways; all goes on unaided in less than five seconds. */
import assert from 'node:assert/strict'
import type { SeededRandom } from '../../../testing/seeded-random.ts'
import { clientKill } from '../../../chaos/faults/connections.ts'
import { cameTrue } from '../../../chaos/holding.ts'
import { busy, freezeServer, recovers, scriptFlush } from '../../../chaos/faults/server.ts'
import type { Scene } from '../../../chaos/scene.ts'
import { assertExact, onOldestAndNewestScene } from './scenes.ts'

const recoveryMaxMs = 5000

async function goesOn(
  scene: Scene,
  random: SeededRandom,
  faults: readonly ((scene: Scene, random: SeededRandom) => Promise<number>)[],
): Promise<number[]> {
  const { crew, appender, recoveries } = scene
  await Promise.all([crew.hire('processor'), crew.hire('processor'), crew.hire('handler')])
  appender.start({ burst: 50, pauseMs: 50 })
  for (const fault of faults) {
    const bites = await fault(scene, random)
    assert.ok(bites > 0, 'void: the fault did not bite')
  }
  assert.ok(Math.max(...recoveries) < recoveryMaxMs, `went on after ${recoveries.join(', ')} ms`)
  await assertExact(scene)
  return recoveries
}

onOldestAndNewestScene(
  'BUSY, lost scripts and killed connections pass',
  {},
  async (scene, random, t) => {
    const took = await goesOn(scene, random, [
      busy.strike,
      scriptFlush.strike,
      killStorm,
      maxclients,
    ])
    t.diagnostic(`went on after ${took.join(', ')} ms`)
  },
)

onOldestAndNewestScene(
  'a server that is frozen for ten seconds passes',
  {},
  async (scene, random, t) => {
    const took = await goesOn(scene, random, [(frozen) => freezeServer(frozen, 10_000)])
    t.diagnostic(`went on after ${took.join(', ')} ms`)
  },
)

async function killStorm(scene: Scene, random: SeededRandom): Promise<number> {
  let killed = 0
  for (let round = 0; round < 5; round += 1) killed += await clientKill.strike(scene, random)
  await recovers(scene)
  return killed
}

/** No connection more than there are, and those that there are are killed. Returns how many were refused meanwhile. */
async function maxclients(scene: Scene): Promise<number> {
  const refused = async (): Promise<number> =>
    Number(/rejected_connections:(\d+)/.exec(String(await scene.send('INFO', 'stats')))?.[1])
  const before = await refused()
  await scene.send('CONFIG', 'SET', 'maxclients', '1')
  await scene.send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await cameTrue(scene, 5000, async () => (await refused()) > before)
  const rejected = (await refused()) - before
  await scene.send('CONFIG', 'SET', 'maxclients', '1000')
  await recovers(scene)
  return rejected
}
