/** Test 19: the server's clock goes an hour back, an hour ahead, and to and fro. Entries of the dead are claimed all the same. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { shiftedClock } from '../../../testing/shifted-clock.ts'
import { cameTrue, freezeHolding } from '../../chaos/holding.ts'
import type { Scene } from '../../chaos/scene.ts'
import { assertExact, onEachScene } from './scenes.ts'

const canShift = shiftedClock() !== undefined

/** A consumer dies with entries at this time of the clock; others have them soon. */
async function assertClaimed(scene: Scene, seconds: number): Promise<void> {
  const { crew, clock, appender } = scene
  const victim = await crew.hire('processor')
  appender.start({ burst: 100, pauseMs: 5 })
  const held = await freezeHolding(scene, victim)
  assert.ok(held > 0, 'void: the victim held nothing')
  clock?.shift(seconds)
  await crew.kill(victim)
  await appender.stop()
  const isClaimed = await cameTrue(
    scene,
    15_000,
    async () => (await scene.pendingOf(victim.name)) === 0,
  )
  assert.ok(isClaimed, `seed ${scene.seed}: claimed while the clock is off by ${seconds} s`)
}

onEachScene(
  'a clock that jumps holds no entry of a dead consumer back',
  { hasShiftedClock: true },
  async (scene, _random, t) => {
    if (!canShift) {
      t.skip('not run: no C compiler, or no Linux')
      return
    }
    const { crew, clock, appender } = scene
    await Promise.all([crew.hire('processor'), crew.hire('processor')])
    for (const seconds of [-3600, 3600]) await assertClaimed(scene, seconds)
    appender.start({ burst: 50, pauseMs: 20 })
    for (let flip = 0; flip < 20; flip += 1) {
      clock?.shift([3600, -3600, 0][flip % 3] ?? 0)
      await delay(100)
    }
    clock?.shift(0)
    t.diagnostic(`${await assertExact(scene)} entries`)
  },
)
