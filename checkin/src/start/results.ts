import type { Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { bestLocations } from './best-locations.ts'
import type { Processor } from './processor.ts'
import { written } from 'millrace-ops/terminal'

const locationCount = 5

/** What has come of the check-ins: each consumer's share, and the best locations as the hashes say. */
export async function resultLines(
  millrace: Millrace,
  model: CheckinModel,
  processors: readonly Processor[],
): Promise<string[]> {
  const shares = processors.map(({ name, processed }) => `${name} ${written(processed)}`)
  const best = await bestLocations(millrace, model, locationCount)
  return [
    `Check-ins done since the start: ${shares.join(', ')}`,
    'Best locations, as the hashes say:',
    ...best.map(
      ({ name, averageStars, numCheckins }) =>
        `  ${averageStars} stars ${written(numCheckins).padStart(7)} check-ins  ${name}`,
    ),
  ]
}
