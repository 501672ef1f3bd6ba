import type { SeededRandom } from '../testing/seeded-random.ts'
import type { Scene } from './scene.ts'

/** Faults of one lane come one after the other; the lanes run side by side, so that faults meet. */
export type Lane = 'consumers' | 'server' | 'operators'

export interface Fault {
  /** Shown in the report: "kill -9 of a consumer". */
  readonly kind: string
  readonly lane: Lane
  /**
   * Does it and heals it. Returns how often it bit: that it was done is not enough; its mark must have been seen on the
   * system.
   */
  readonly strike: (scene: Scene, random: SeededRandom) => Promise<number>
}
