/** Scenes for the fault tests: one on each kind of server, with the verdict of chaos at the end. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import {
  oldestAndNewest,
  serverKindsWanted,
  whyNotOn,
  type ServerKind,
} from '../../../testing/redis-servers.ts'
import { seedOfRun, SeededRandom } from '../../../testing/seeded-random.ts'
import { Scene, type SceneOptions } from '../../../chaos/scene.ts'

type Options = Partial<Omit<SceneOptions, 'kind' | 'seed'>>

type Body = (scene: Scene, random: SeededRandom, t: TestContext) => Promise<void>

/** Declares a test with a scene of its own on each kind of server, two side by side; skipped where a server is missing. */
export function onEachScene(name: string, options: Options, body: Body): void {
  declare(serverKindsWanted, name, options, body)
}

/** The same on the oldest and on the newest server alone, for tests that take long. */
export function onOldestAndNewestScene(name: string, options: Options, body: Body): void {
  declare(oldestAndNewest, name, options, body)
}

function declare(kinds: readonly ServerKind[], name: string, options: Options, body: Body): void {
  describe(name, { concurrency: 2 }, () => {
    for (const kind of kinds) {
      const skip = whyNotOn(kind)
      test(`on ${kind}`, { skip }, async (t) => {
        const scene = await Scene.open({ claimAfterMs: 800, ...options, kind, seed: seedOfRun })
        t.after(() => scene.close())
        await body(scene, new SeededRandom(seedOfRun), t)
      })
    }
  })
}

/** Waits until everything is processed and fails unless every entry took effect once. Returns how many there are. */
export async function assertExact(scene: Scene): Promise<number> {
  await scene.settle(30_000)
  const classes = await scene.verdict()
  const { violations, timeline, entries } = scene.history
  const shown = violations
    .slice(0, 5)
    .map(({ kind, what, ids }) => `${kind}: ${what} ${ids.join(' ')}`)
  const message = `seed ${scene.seed}:\n${[...shown, ...timeline.slice(-60)].join('\n')}`
  assert.equal(violations.length, 0, message)
  assert.deepEqual([classes.lost, classes.unexpected, classes.duplicated], [0, 0, 0], message)
  return entries.size
}
