import { starsMax, type Checkin } from '../domain/checkins.ts'

export interface RandomCheckinsOptions {
  /** Users are 1 to this. */
  readonly users: number
  /** Locations are 1 to this. */
  readonly locations: number
  /** The same seed gives the same check-ins. */
  readonly seed: number
}

/** An endless sequence of check-ins: users, locations and stars evenly distributed. */
export function* randomCheckins(options: RandomCheckinsOptions): Generator<Checkin, never> {
  const random = mulberry32(options.seed)
  const upTo = (most: number): number => Math.floor(random() * most)
  for (;;) {
    yield {
      userId: 1 + upTo(options.users),
      locationId: 1 + upTo(options.locations),
      starRating: upTo(starsMax + 1),
    }
  }
}

/** The generator "mulberry32" (public domain): 32 bits of state are enough for sample data. */
function mulberry32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
