/** Test 20: names, numbers and restarts of consumers under load. */
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { runMain } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import type { Scene } from '../../../chaos/scene.ts'
import { assertExact, onOldestAndNewestScene } from './scenes.ts'

onOldestAndNewestScene(
  'a name is held by one consumer, and 1, 8 and 1 again share the work',
  {},
  async (scene) => {
    const { crew, appender, server } = scene
    const first = await crew.hire('processor')
    appender.start({ burst: 50, pauseMs: 20 })
    const flags = ['--claim-after', '800ms']
    const env = { REDIS_URL: server.url, LOG_FORMAT: 'pretty' }
    const second = runMain(['group-processor', first.name, ...flags], { env })
    const { code, stderr } = await second.exited
    assert.equal(code, 1, stderr)
    assert.match(stderr, /the name is taken by a living consumer, process \d+/)
    const others = await Promise.all(Array.from({ length: 7 }, () => crew.hire('processor')))
    const haveAllRead = async (): Promise<boolean> =>
      (await scene.group.describe()).consumers.length >= 8
    await waitFor(haveAllRead, { what: 'eight consumers to have read', timeoutMs: 20_000 })
    await Promise.all(others.map((member) => crew.retire(member)))
    await assertExact(scene)
  },
)

// Far beyond what the test lasts: whatever is claimed in it was given back.
const longLease = { claimAfterMs: 120_000 }
const gapMaxMs = 1000

onOldestAndNewestScene(
  'a rolling restart makes no gap, and nothing waits for a lease',
  longLease,
  async (scene, _random, t) => {
    const { crew, appender } = scene
    const members = await Promise.all(Array.from({ length: 4 }, () => crew.hire('processor')))
    appender.start({ burst: 50, pauseMs: 20 })
    const gaps = new Gaps(scene)
    gaps.start()
    for (const member of members) {
      await crew.hire('processor')
      await crew.retire(member)
    }
    const { gapMs, blindMs } = await gaps.stop()
    t.diagnostic(`largest gap ${gapMs} ms; the observer itself was blind for up to ${blindMs} ms`)
    assert.ok(gapMs - blindMs < gapMaxMs, `seed ${scene.seed}: nothing applied for ${gapMs} ms`)
    const stoppedAt = performance.now()
    await appender.stop()
    await waitFor(() => scene.group.isDrained(), { what: 'all to be processed', timeoutMs: 30_000 })
    t.diagnostic(`drained after ${Math.round(performance.now() - stoppedAt)} ms`)
    await assertExact(scene)
  },
)

/** Measures the longest time in which the ledger has counted nothing. */
class Gaps {
  readonly #scene: Scene
  #isOn = false
  #watching: Promise<void> | undefined
  #gapMs = 0
  #blindMs = 0

  constructor(scene: Scene) {
    this.#scene = scene
  }

  start(): void {
    this.#isOn = true
    this.#watching = this.#watch()
  }

  async stop(): Promise<{ gapMs: number; blindMs: number }> {
    this.#isOn = false
    await this.#watching
    return { gapMs: Math.round(this.#gapMs), blindMs: Math.round(this.#blindMs) }
  }

  async #watch(): Promise<void> {
    let applied = -1
    let grownAt = performance.now()
    let lookedAt = performance.now()
    while (this.#isOn) {
      const now = Number(await this.#scene.send('HGET', this.#scene.keys.ledger, 'applied'))
      const at = performance.now()
      this.#blindMs = Math.max(this.#blindMs, at - lookedAt)
      lookedAt = at
      if (now > applied) grownAt = at
      applied = now
      this.#gapMs = Math.max(this.#gapMs, at - grownAt)
      await delay(10)
    }
  }
}
