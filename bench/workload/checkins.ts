/** The check-ins that every rival is given, and what the hashes must say after all of them. */

/** One check-in as it stands in the stream. */
export interface Checkin {
  /** Stream entry id. */
  readonly id: string
  /** Milliseconds since 1970: the id's first part. */
  readonly at: number
  readonly userId: number
  readonly locationId: number
  readonly starRating: number
}

/** Check-ins that are made anew each time they are gone through: five million of them need no memory. */
export interface Workload extends Iterable<Checkin> {
  readonly count: number
  readonly users: number
  readonly locations: number
  /** Id of the last check-in. */
  readonly lastId: string
}

/** Hashes by key, each with its fields as Redis keeps them: strings. */
export type Hashes = ReadonlyMap<string, Readonly<Record<string, string>>>

export const keys = {
  stream: 'ncc:checkins',
  group: 'checkinConsumers',
  user: (id: number) => `ncc:users:${id}`,
  location: (id: number) => `ncc:locations:${id}`,
}

const firstAt = Date.UTC(2026, 0, 1)

/** What a workload is made of; the defaults are those of the issue that this suite answers. */
export interface WorkloadOptions {
  readonly count: number
  /** Default 1,000. */
  readonly users?: number
  /** Default 215. */
  readonly locations?: number
  /** Every so-many-th check-in is of a user of its own, `probeUser(index)`, whose hash shows when it took effect. Default: none. */
  readonly probeEvery?: number
}

/** The user whose only check-in is that with this index. */
function probeUser(index: number): number {
  return probeUsersFrom + index
}

/** The index of the check-in of a probe user. */
export function probeIndex(userId: number): number {
  return userId - probeUsersFrom
}

const probeUsersFrom = 900_000_000

/** Check-ins, uniform over users, locations and stars: the same ones in every run. */
export function makeWorkload(options: WorkloadOptions): Workload {
  const { count, users = 1000, locations = 215, probeEvery = Infinity } = options
  return {
    count,
    users,
    locations,
    lastId: `${firstAt + count - 1}-0`,
    *[Symbol.iterator](): Generator<Checkin> {
      const random = seededRandom(0x5eed)
      const below = (limit: number): number => Math.floor(random() * limit)
      for (let index = 0; index < count; index++) {
        // Every entry has a millisecond of its own, so that "newer" means the same to a script that
        // compares times as to one that compares whole ids.
        const at = firstAt + index
        const userId = 1 + below(users)
        yield {
          id: `${at}-0`,
          at,
          userId: index % probeEvery === probeEvery - 1 ? probeUser(index) : userId,
          locationId: 1 + below(locations),
          starRating: below(6),
        }
      }
    },
  }
}

/** Splits what can be gone through into lists of `size`, the last one shorter. */
export function* inChunks<Item>(items: Iterable<Item>, size: number): Generator<Item[]> {
  let chunk: Item[] = []
  for (const item of items) {
    chunk.push(item)
    if (chunk.length < size) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** Folds check-ins the plainest way there is; shares no code with any rival, ours included. */
export function foldCheckins(checkins: Iterable<Checkin>): Hashes {
  const users = new Map<number, { count: number; last: Checkin }>()
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
