import type { LoadedData } from '../../src/loader/data-folder.ts'

/** The group that the tests load for. */
export const group = 'workers'

/** Two check-ins, with the fields that are kept as they are. */
export const data: LoadedData = {
  users: [
    {
      id: 1,
      firstName: 'Añ\u0000\r\n',
      isNew: true,
      numCheckins: 2,
      lastCheckin: 7,
      lastSeenAt: 1,
    },
    { id: 2, numCheckins: 0, lastCheckin: 0, lastSeenAt: 1 },
  ],
  locations: [{ id: 1, location: '-9.1,38.7', numCheckins: 2, numStars: 9, averageStars: 5 }],
  checkins: [
    { id: '5-0', userId: 1, locationId: 1, starRating: 0, comment: 'long' },
    { id: '5-7', userId: 2, locationId: 1, starRating: 5 },
  ],
}

/** Allows a load to remove whatever is there. */
export const onReplace = (): Promise<void> => Promise.resolve()

/** Enough for several batches of everything. */
export const long: LoadedData = {
  users: Array.from({ length: 1500 }, (_, at) => ({ ...data.users[1], id: at + 1 })),
  locations: Array.from({ length: 1500 }, (_, at) => ({ ...data.locations[0]!, id: at + 1 })),
  checkins: Array.from({ length: 3500 }, (_, at) => ({ ...data.checkins[1], id: `9-${at}` })),
}
