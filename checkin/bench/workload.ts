/** The check-ins that every rival is given, and what the hashes must say after all of them. */

/** One check-in as it stands in the stream. */
export interface WorkloadEntry {
  /** Stream entry id. */
  readonly id: string
  /** Milliseconds since 1970: the id's first part. */
  readonly at: number
  readonly userId: number
  readonly locationId: number
  readonly starRating: number
}

/** Hashes by key, each with its fields as Redis keeps them: strings. */
export type Hashes = ReadonlyMap<string, Readonly<Record<string, string>>>

export const keys = {
  stream: 'ncc:checkins',
  group: 'checkinConsumers',
  user: (id: number) => `ncc:users:${id}`,
  location: (id: number) => `ncc:locations:${id}`,
}

export const spread = { users: 1000, locations: 215 }
const firstAt = Date.UTC(2026, 0, 1)

/** Makes `count` check-ins, uniform over users, locations and stars: the same ones in every run. */
export function makeCheckins(count: number): WorkloadEntry[] {
  const random = seededRandom(0x5eed)
  const below = (limit: number): number => Math.floor(random() * limit)
  return Array.from({ length: count }, (_, index) => {
    // Every entry has a millisecond of its own, so that "newer" means the same to a script that
    // compares times as to one that compares whole ids.
    const at = firstAt + index
    return {
      id: `${at}-0`,
      at,
      userId: 1 + below(spread.users),
      locationId: 1 + below(spread.locations),
      starRating: below(6),
    }
  })
}

/** Folds check-ins the plainest way there is; shares no code with any rival, ours included. */
export function foldCheckins(checkins: readonly WorkloadEntry[]): Hashes {
  const users = new Map<number, { count: number; last: WorkloadEntry }>()
  const locations = new Map<number, { count: number; stars: number }>()
  for (const checkin of checkins) {
    const user = users.get(checkin.userId)
    const last = user === undefined || checkin.at > user.last.at ? checkin : user.last
    users.set(checkin.userId, { count: (user?.count ?? 0) + 1, last })
    const location = locations.get(checkin.locationId) ?? { count: 0, stars: 0 }
    const stars = location.stars + checkin.starRating
    locations.set(checkin.locationId, { count: location.count + 1, stars })
  }
  const hashes = new Map<string, Record<string, string>>()
  for (const [id, { count, last }] of users) {
    hashes.set(keys.user(id), {
      numCheckins: String(count),
      lastCheckin: String(last.at),
      lastSeenAt: String(last.locationId),
    })
  }
  for (const [id, { count, stars }] of locations) {
    hashes.set(keys.location(id), {
      numCheckins: String(count),
      numStars: String(stars),
      // Half up in whole numbers: floor(stars / count + 1/2).
      averageStars: String(Math.floor((2 * stars + count) / (2 * count))),
    })
  }
  return hashes
}

/** Mulberry32: a small generator of numbers from 0 to 1 that gives the same row for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
