import { average, count, entryTime, integer, latest, projection, stream, sum } from 'millrace'

/** A check-in: a user was at a location and gave it stars. */
export interface Checkin {
  /** From 1. */
  readonly userId: number
  /** From 1. */
  readonly locationId: number
  /** 0 to 5. */
  readonly starRating: number
}

export const starsMax = 5

/** What each field of a check-in may be: for the stream, for the bodies that the receiver takes, and for what it says of them. */
export const checkinFields = {
  locationId: integer(1),
  userId: integer(1),
  starRating: integer(0, starsMax),
} as const satisfies Record<keyof Checkin, unknown>

/** The stream of check-ins and what its entries do to the hashes of users and locations. */
export type CheckinModel = ReturnType<typeof checkinModel>

/**
 * Declares stream and projections under a key prefix.
 * Both sides of a check-in are order-independent, so any number of consumers may share the stream.
 */
// The return type is inferred on purpose: it carries the field names of the declaration.
export function checkinModel(prefix: string) {
  // In a template a brace is doubled; a prefix has braces where it is a cluster's hash tag.
  const escaped = prefix.replace('{', '{{').replace('}', '}}')
  const ranking = (name: string): string => `${prefix}:ranking:${name}`
  return {
    checkins: stream(`${prefix}:checkins`, checkinFields),
    users: projection(
      `${escaped}:users:{userId}`,
      {
        numCheckins: count(),
        lastCheckin: latest(entryTime()),
        lastSeenAt: latest('locationId'),
      },
      { rankings: { numCheckins: ranking('users:numCheckins') } },
    ),
    locations: projection(
      `${escaped}:locations:{locationId}`,
      {
        numCheckins: count(),
        numStars: sum('starRating'),
        averageStars: average('numStars', 'numCheckins'),
      },
      {
        rankings: {
          numCheckins: ranking('locations:numCheckins'),
          numStars: ranking('locations:numStars'),
        },
      },
    ),
    /** Name of the single processor, in logs and in the key of its dead letters. */
    readerName: 'checkinprocessor',
    /** Where the single processor keeps its position. */
    positionKey: `${prefix}:checkinprocessor:lastid`,
    /** Says who reads the stream: the group or the single processor. */
    readingKey: `${prefix}:checkins:reading`,
    /** Where the hashes of API keys are. */
    apiKeysKey: `${prefix}:apikeys`,
    /** What the keys of the buckets of the rate limit begin with. */
    rateKeys: `${prefix}:rate:`,
    userKey: (id: number | string) => `${prefix}:users:${id}`,
    locationKey: (id: number | string) => `${prefix}:locations:${id}`,
    /** Positions of the locations: a sorted set that GEOADD keeps, with the location ids as members. */
    geoKey: `${prefix}:geo:locations`,
  }
}
