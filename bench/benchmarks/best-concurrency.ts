import { drain } from '../measure/drain.ts'
import type { Rival } from '../rivals/rival.ts'
import { makeWorkload } from '../workload/checkins.ts'
import type { Scale } from './benchmark.ts'

const tried: Readonly<Record<Scale, readonly number[]>> = {
  full: [10, 25, 50, 100, 200, 400, 800],
  short: [50, 100, 200, 400],
  tiny: [100],
}

const checkins: Readonly<Record<Scale, number>> = { full: 20_000, short: 8000, tiny: 200 }

/** The rival with the concurrency at which it is fastest here, found by one drain for each before the rounds. */
export async function atBestConcurrency(rival: Rival, scale: Scale): Promise<Rival> {
  let best: Rival = rival
  let bestRate = 0
  const workload = makeWorkload({ count: checkins[scale] })
  for (const concurrency of tried[scale]) {
    const candidate = { ...rival, setup: { ...rival.setup, concurrency } }
    const { figures } = await drain({ rival: candidate, workload, appendonly: 'no' })
    if (figures.rate <= bestRate) continue
    bestRate = figures.rate
    const label = rival.label.replace(
      /concurrency \d+/,
      `concurrency ${concurrency}, the best of ${tried[scale].length}`,
    )
    best = { ...candidate, label }
  }
  return best
}
