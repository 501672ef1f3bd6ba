/** Chooses the faults by the seed and lets them strike until the time is over. */
import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from '../testing/seeded-random.ts'
import { within } from '../testing/wait-for.ts'
import type { Fault, Lane } from './fault.ts'
import type { Scene } from './scene.ts'

/** How often a kind of fault struck and bit. */
export interface Tally {
  strikes: number
  bites: number
}

const lanes: readonly Lane[] = ['consumers', 'server', 'operators']

// Tried in vain so often after the time is over, the fault does not bite, and the run is void.
const extraTries = 3

// Far more than any fault takes: a run ends, whatever does not.
const strikeMaxMs = 180_000

/**
 * Lets all faults strike in a seeded order, again and again, for so long; each at least once, and those that did not
 * bite some times more.
 */
export async function direct(
  scene: Scene,
  faults: readonly Fault[],
  ms: number,
): Promise<Map<string, Tally>> {
  const tallies = new Map(faults.map(({ kind }) => [kind, { strikes: 0, bites: 0 }]))
  const deadline = performance.now() + ms
  const isBroken = (): boolean => scene.history.violations.some(({ kind }) => kind === 'stuck')
  const ran = lanes.map(async (lane, at) => {
    const random = new SeededRandom(scene.seed * 1009 + at)
    const own = faults.filter((fault) => fault.lane === lane)
    const strikeAll = async (bag: readonly Fault[], untilMs: number): Promise<void> => {
      for (const fault of random.shuffled(bag)) {
        // What follows a fault that did not end would only wait for what is not there.
        if (performance.now() > untilMs || isBroken()) return
        await strike(scene, fault, random, tallies)
        await delay(random.between(50, 600))
      }
    }
    // The first round is always whole.
    await strikeAll(own, Infinity)
    while (own.length > 0 && performance.now() < deadline && !isBroken()) {
      await strikeAll(own, deadline)
    }
    for (let extra = 0; extra < extraTries; extra += 1) {
      await strikeAll(
        own.filter(({ kind }) => tallies.get(kind)?.bites === 0),
        Infinity,
      )
    }
  })
  await Promise.all(ran)
  return tallies
}

async function strike(
  scene: Scene,
  fault: Fault,
  random: SeededRandom,
  tallies: ReadonlyMap<string, Tally>,
): Promise<void> {
  const { history } = scene
  const tally = tallies.get(fault.kind) ?? { strikes: 0, bites: 0 }
  history.note(`--- ${fault.kind}`)
  tally.strikes += 1
  try {
    const bites = await within(fault.strike(scene, random), {
      what: 'its end',
      timeoutMs: strikeMaxMs,
    })
    tally.bites += bites
    history.note(`--- ${fault.kind}: bit ${bites} times`)
  } catch (error) {
    history.violate('stuck', `fault "${fault.kind}" broke off: ${String((error as Error).stack)}`)
  }
}
