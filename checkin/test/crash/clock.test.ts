/** Test 19: the server's clock goes an hour back, an hour ahead, and to and fro. Entries of the dead are claimed all the same. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { cameTrue, freezeHolding } from '../../../chaos/holding.ts'
import type { Scene } from '../../../chaos/scene.ts'
import { assertExact, onOldestAndNewestScene } from './scenes.ts'

/** A consumer dies with entries at this time of the clock; others have them soon. */
async function assertClaimed(scene: Scene, seconds: number): Promise<void> {
  const { crew, appender } = scene
  const victim = await crew.hire('processor')
  appender.start({ burst: 100, pauseMs: 5 })
  const held = await freezeHolding(scene, victim)
  assert.ok(held > 0, 'void: the victim held nothing')
  await scene.shiftClock(seconds)
  await crew.kill(victim)
  await appender.stop()
  const isClaimed = await cameTrue(
    scene,
    15_000,
    async () => (await scene.pendingOf(victim.name)) === 0,
  )
  assert.ok(isClaimed, `seed ${scene.seed}: claimed while the clock is off by ${seconds} s`)
}

onOldestAndNewestScene(
  'a clock that jumps holds no entry of a dead consumer back',
  { hasShiftedClock: true },
  async (scene, _random, t) => {
    const { crew, appender } = scene
    await Promise.all([crew.hire('processor'), crew.hire('processor')])
    for (const seconds of [-3600, 3600]) await assertClaimed(scene, seconds)
    appender.start({ burst: 50, pauseMs: 20 })
    for (let flip = 0; flip < 20; flip += 1) {
      await scene.shiftClock([3600, -3600, 0][flip % 3] ?? 0)
      await delay(100)
    }
    await scene.shiftClock(0)
    t.diagnostic(scene.clock === undefined ? 'the leases were moved' : 'the clock was shifted')
    t.diagnostic(`${await assertExact(scene)} entries`)
  },
)
