/**
 * What the streams and groups of a server look like at one moment: the words in which commands, metrics, console and doctor
 * speak of them. Null always means "not known" or "there is none", as its line says; a 0 was measured.
 */
import type { Pause, RosterEntry } from 'millrace/operate'

export interface Snapshot {
  /** That moment: milliseconds of the server's clock when the reading began. */
  readonly atMs: number
  /** How long the reading took, in milliseconds. */
  readonly tookMs: number
  /** Null when the user may not ask for INFO. */
  readonly server: ServerSnapshot | null
  /** By their keys. Those without a group are among them only when they were named. */
  readonly streams: readonly StreamSnapshot[]
  readonly looked: Looked
}

/** How far it looked for streams. */
export interface Looked {
  /** Keys of the server, whatever they hold; of named streams their number. */
  readonly keys: number
  /** False: it did not look at all of them, or at a part of their groups. */
  readonly isComplete: boolean
  /** Streams that were found and have no group. */
  readonly withoutGroup: number
  /** Streams that were named and could not be read, with the reason. */
  readonly unread: readonly Unread[]
}

/** A key that could not be read. */
export interface Unread {
  readonly key: string
  /** `missing`: there is no such key; `wrong-type`: it holds another type; `forbidden`: the user may not look at it. */
  readonly why: 'missing' | 'wrong-type' | 'forbidden'
}

/** What INFO tells. */
export interface ServerSnapshot {
  readonly product: 'Redis' | 'Valkey'
  readonly version: string
  /** `master` or `slave`, as the server says it. */
  readonly role: string
  readonly usedMemoryBytes: number
  /** Limit of memory in bytes; 0: none. */
  readonly maxMemoryBytes: number
  /** `noeviction`, or what is evicted at the limit. */
  readonly evictionPolicy: string
  /** The append-only file is on. */
  readonly isAppendOnly: boolean
  readonly connectedClients: number
  /** User and system seconds that the server's main process has used since it began. */
  readonly cpuSeconds: number
}

export interface StreamSnapshot {
  readonly key: string
  /** Entries in it. */
  readonly length: number
  /** Null when it is empty. */
  readonly firstEntryId: string | null
  /** Null when it is empty. */
  readonly lastEntryId: string | null
  /** The last id that it gave, also when that entry is gone; `0-0` when none ever was there. */
  readonly lastGeneratedId: string
  /** Entries ever appended. */
  readonly entriesAdded: number
  /** The greatest id that somebody deleted by XDEL; `0-0`: none. */
  readonly maxDeletedId: string
  /** Entries that are gone, but not by our trimmer: deleted, or trimmed by producers (MAXLEN) or by hand. */
  readonly removedByOthers: number
  /** Entries that came, a second; null in a first snapshot. */
  readonly inPerSecond: number | null
  /** Null where nothing can overtake a group: see {@link TrimHeadroom}. */
  readonly trimHeadroom: TrimHeadroom | null
  /** By their names. */
  readonly groups: readonly GroupSnapshot[]
}

/**
 * How far the end that others trim is behind the slowest group, where the stream is trimmed by others than our trimmer, which never
 * overtakes a group: where entries went that nobody deleted one by one. A trimmer by length (MAXLEN) removes as many as come.
 */
export interface TrimHeadroom {
  /** The slowest group: of all groups its oldest entry that is undelivered or pending is the oldest. */
  readonly group: string
  /** That entry. */
  readonly entryId: string
  /** Entries in front of it: so many are trimmed before it is lost. With `MAXLEN ~` they go by hundreds. */
  readonly entries: number
  /** False: there are at least so many. */
  readonly isExact: boolean
  /** Until it is lost, at the present rate in; null when nothing comes, or in a first snapshot. */
  readonly seconds: number | null
}

/**
 * How a group does, in one word, from the worst to the best:
 *
 * - `nobody`: something waits, and no consumer lives; of a foreign group: it has no consumer, or none has read for a minute.
 * - `paused`: somebody paused the group, or all consumers that live.
 * - `stuck`: something is undelivered, and between two snapshots nothing was taken or done.
 * - `falling-behind`: what waits has waited for long, and it gets more.
 * - `behind`: what waits has waited for long; it gets neither more nor less, or that is not known yet.
 * - `catching-up`: likewise, but it gets less.
 * - `working`: entries are processed about as soon as they come.
 * - `idle`: nothing waits, and nothing was done since the snapshot before.
 */
export type GroupState =
  'nobody' | 'paused' | 'stuck' | 'falling-behind' | 'behind' | 'catching-up' | 'working' | 'idle'

export interface GroupSnapshot {
  readonly stream: string
  readonly name: string
  /** The engine has worked on it: it has a ledger or leases. Of another one only the server tells. */
  readonly isManaged: boolean
  readonly state: GroupState
  readonly lastDeliveredId: string
  /** Entries ever delivered; null when the server cannot tell. */
  readonly entriesRead: number | null
  /**
   * Entries that are not delivered yet. With a `lagDoubt` it is what the server tells, within what can be, or null where the server cannot tell
   * either: never show that as 0.
   */
  readonly lag: number | null
  /** What XINFO GROUPS tells; it may be wrong where entries were deleted or trimmed. Null: the server cannot tell. */
  readonly serverLag: number | null
  /** Null when `lag` is exact: counted, or told by a server that cannot be wrong here. Else why, and how many there are at least. */
  readonly lagDoubt: LagDoubt | null
  /** Milliseconds since the oldest undelivered entry was appended, by its id. 0: nothing is undelivered. Null: its id tells no time. */
  readonly timeLagMs: number | null
  /** Null when nothing is undelivered. */
  readonly oldestUndeliveredId: string | null
  /** Entries that are delivered and not acknowledged. */
  readonly pending: number
  /** The pending entry with the smallest id; null when nothing is pending. */
  readonly oldestPending: PendingSnapshot | null
  /** Milliseconds since it was appended, by its id; null without one, or when its id tells no time. */
  readonly oldestPendingMs: number | null
  /** Null where it can have none: the engine cannot work on a group of such a name. */
  readonly deadLetterStream: string | null
  readonly deadLetters: number
  /** Null without one. */
  readonly newestDeadLetter: NewestDeadLetter | null
  /** Entries that it has finished with since its ledger began: applied, or made a dead letter. Null without a ledger. */
  readonly doneTotal: number | null
  /** Entries that it finished, a second. By its ledger, else by what was delivered and is not pending. Null in a first snapshot, or when the server cannot tell. */
  readonly donePerSecond: number | null
  /** By how much what waits, undelivered or pending, gets more in a second; negative: less. Null likewise. */
  readonly growthPerSecond: number | null
  /** Until nothing waits any more, if it goes on so. 0: nothing waits. Null when what waits does not get less, or that is not known. */
  readonly secondsToCatchUp: number | null
  /** Of the group as a whole; null when it is not paused. */
  readonly pause: Pause | null
  /** Of consumers by their names, also of those that are not there. */
  readonly consumerPauses: Readonly<Record<string, Pause>>
  /** Consumers that the server knows, those that live but were not delivered anything yet, and paused names; by name. */
  readonly consumers: readonly ConsumerSnapshot[]
  /** Keys that should be the engine's and hold another type, or that the user may not look at: what they would tell is missing here. */
  readonly unreadKeys: readonly Unread[]
  /** Consumers by state; also where they are too many to be listed. */
  readonly consumerCounts: ConsumerCounts
}

/** Why a lag is not exact. */
export interface LagDoubt {
  /**
   * `entries-deleted`: entries were deleted or trimmed by others, and more are undelivered than may be counted;
   * `position-set`: the group began, or was set, amid the stream, likewise; `forbidden`: the user may not count.
   */
  readonly why: 'entries-deleted' | 'position-set' | 'forbidden'
  /** Counted: so many are undelivered, perhaps more. */
  readonly atLeast: number
}

/** A pending entry. */
export interface PendingSnapshot {
  readonly id: string
  readonly consumer: string
  /** Milliseconds since it was delivered last. */
  readonly idleMs: number
  readonly deliveries: number
}

export interface NewestDeadLetter {
  /** Its id in the dead-letter stream. */
  readonly id: string
  /** Of the entry that could not be processed. */
  readonly entryId: string
  readonly reason: string
  /** Milliseconds since it was written. */
  readonly ageMs: number | null
}

export interface ConsumerSnapshot extends Pick<
  RosterEntry,
  'name' | 'state' | 'isPaused' | 'pause' | 'pending' | 'leaseLeftMs' | 'holder' | 'idleMs'
> {
  /** Milliseconds since it was last delivered or claimed something; null before Redis 7.2, and when it never was. */
  readonly inactiveMs: number | null
  /** Null when nothing is pending for it. */
  readonly oldestPending: PendingSnapshot | null
  /** Entries that it finished, a second; null in a first snapshot, and for consumers of others: nobody counts them. */
  readonly donePerSecond: number | null
}

export interface ConsumerCounts {
  readonly total: number
  /** Its lease runs. */
  readonly alive: number
  /** Its lease ran out. */
  readonly expired: number
  /** Stopped in order, or no consumer of the engine. */
  readonly noLease: number
  /** Paused by itself, whether it is there or not. */
  readonly paused: number
}

/** Pending entries by their ages, by their ids, each in one band: counted on request, `pendingAges`. */
export interface PendingAges {
  readonly under1s: number
  readonly under10s: number
  readonly under60s: number
  readonly over60s: number
  /** Their ids tell no time. */
  readonly untimed: number
  /** False: more than 10,000 are younger than a minute, or untimed; each number is the least that there are. */
  readonly isWhole: boolean
}
