/** Snapshots as nobody has taken them: of what a test is about, the rest does well. */
import type {
  ConsumerSnapshot,
  GroupSnapshot,
  Snapshot,
  StreamSnapshot,
} from '../../src/snapshot/snapshot.ts'

export const madeConsumer = (given: Partial<ConsumerSnapshot> = {}): ConsumerSnapshot => ({
  ...{ name: 'w-1', state: 'alive', isPaused: false, pause: null, pending: 0, idleMs: 5 },
  ...{
    leaseLeftMs: 9000,
    holder: null,
    inactiveMs: null,
    oldestPending: null,
    donePerSecond: null,
  },
  ...given,
})

export const madeGroup = (given: Partial<GroupSnapshot> = {}): GroupSnapshot => ({
  ...{ stream: 'orders', name: 'billing', isManaged: true, state: 'idle', lastDeliveredId: '5-0' },
  ...{ entriesRead: 5, lag: 0, serverLag: 0, lagDoubt: null, timeLagMs: 0, pending: 0 },
  ...{ oldestUndeliveredId: null, oldestPending: null, oldestPendingMs: null },
  ...{ deadLetterStream: 'orders:dead', deadLetters: 0, newestDeadLetter: null, doneTotal: 5 },
  ...{ donePerSecond: null, growthPerSecond: null, secondsToCatchUp: 0, pause: null },
  ...{ consumerPauses: {}, consumers: [madeConsumer()] },
  unreadKeys: [],
  consumerCounts: { total: 1, alive: 1, expired: 0, noLease: 0, paused: 0 },
  ...given,
})

export function madeSnapshot(...groups: readonly GroupSnapshot[]): Snapshot {
  const keys = [...new Set(groups.map(({ stream }) => stream))]
  return {
    atMs: Date.UTC(2026, 10, 29, 12),
    tookMs: 3,
    server: null,
    streams: keys.map((key) => madeStream(key, groups)),
    looked: { keys: 12, isComplete: true, withoutGroup: 0, unread: [] },
  }
}

const madeStream = (key: string, groups: readonly GroupSnapshot[]): StreamSnapshot => ({
  ...{ key, length: 5, firstEntryId: '1-0', lastEntryId: '5-0', lastGeneratedId: '5-0' },
  ...{ entriesAdded: 5, maxDeletedId: '0-0', removedByOthers: 0, inPerSecond: null },
  trimHeadroom: null,
  groups: groups.filter(({ stream }) => stream === key),
})
