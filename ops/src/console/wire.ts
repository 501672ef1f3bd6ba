/** What the console tells its page: shapes of the answers of `api/...`. Ids and values of entries are texts from end to end. */
import type { DeadLetter, EntryState } from 'millrace/operate'
import type { Diagnosis } from '../doctor/doctor.ts'
import type { PendingEntry } from '../groups/pending-entry.ts'
import type {
  ConsumerSnapshot,
  GroupSnapshot,
  Snapshot,
  StreamSnapshot,
} from '../snapshot/index.ts'

export type { ConsumerSnapshot, StreamSnapshot } from '../snapshot/index.ts'

/** `api/about`: what stays the same while the console runs. */
export interface About {
  readonly version: string
  /** The badge: `production`; null: none. */
  readonly environment: string | null
  /** The server without its password. */
  readonly url: string
  /** What stands before a command in texts that name one: `npx millrace`. */
  readonly program: string
  /** Names of fields whose values nobody is shown. */
  readonly masked: readonly string[]
}

/** `event: snapshot`, and `api/snapshot`: all streams and groups, and the consumers of one group. */
export interface View {
  /** Names the snapshot within this run of the console. */
  readonly id: string
  /** Clock of the server, in milliseconds. */
  readonly atMs: number
  readonly server: Snapshot['server']
  readonly looked: Snapshot['looked']
  readonly streams: readonly Omit<StreamSnapshot, 'groups'>[]
  /** The worst first. */
  readonly groups: readonly GroupView[]
  /** Of the group that the page asks for, else of the worst; null where there is none. */
  readonly focus: Focus | null
}

export interface Focus extends GroupName {
  readonly consumers: readonly ConsumerSnapshot[]
}

export interface GroupName {
  readonly stream: string
  readonly group: string
}

/** A group without its consumers: on a large server they would be most of what is sent each second. */
export interface GroupView
  extends Omit<GroupSnapshot, 'consumers' | 'consumerPauses' | 'name' | 'stream'>, GroupName {
  /** Consumers whose leases have run out while entries are pending for them; null: none. */
  readonly gone: Gone | null
}

export interface Gone {
  readonly consumers: number
  /** Entries that are pending for them. */
  readonly pending: number
  /** The one that holds the most. */
  readonly worst: ConsumerSnapshot
}

/** `event: trouble`: the server could not be asked. */
export interface Trouble {
  /** Clock of the console, in milliseconds. */
  readonly atMs: number
  readonly message: string
}

/** A moment of a group; null where it was not known. Times and ages in milliseconds, rates in a second. */
export type Moment = readonly [
  atMs: number,
  inPerSecond: number | null,
  donePerSecond: number | null,
  lag: number | null,
  timeLagMs: number | null,
  pending: number,
  deadLetters: number,
]

/** `api/history`: what the console saw of the last minutes while somebody looked. */
export interface History {
  readonly groups: readonly (GroupName & { readonly moments: readonly Moment[] })[]
}

/** A field of an entry as it is shown. */
export interface ShownField {
  readonly name: string
  /** Its beginning when it is long; empty when it is masked. */
  readonly value: string
  /** Characters of the whole value. */
  readonly length: number
  readonly isMasked: boolean
}

/** `api/pending`. */
export interface PendingPage {
  readonly entries: readonly (PendingEntry & {
    /** Null: the stream does not hold the entry any more. */
    readonly fields: readonly ShownField[] | null
  })[]
  /** For `from` of the next page; null when there is none. */
  readonly next: string | null
}

export type ShownLetter = Omit<DeadLetter, 'fields'> & { readonly fields: readonly ShownField[] }

/** `api/dead-letters`. */
export interface LetterPage {
  readonly letters: readonly ShownLetter[]
  readonly next: string | null
  /** How many were looked at for this page. */
  readonly scanned: number
}

/** `api/dead-letters/reasons`. */
export interface Reasons {
  /** Most letters first. */
  readonly reasons: readonly ReasonGroup[]
  readonly scanned: number
  /** False: there are more letters than were looked at, the newest first. */
  readonly isComplete: boolean
}

/** Letters whose error is the same but for its numbers. */
export interface ReasonGroup {
  readonly reason: string
  /** The error with `#` for each number: the key of this group. */
  readonly like: string
  /** The error of the newest letter. */
  readonly error: string
  readonly letters: number
  readonly firstMs: number
  readonly lastMs: number
}

/** `api/entry`. */
export interface EntryLook {
  readonly id: string
  readonly stream: string
  /** Null: the stream does not hold it. */
  readonly fields: readonly ShownField[] | null
  readonly groups: readonly EntryInGroup[]
  /** False: the stream has more groups than were asked. */
  readonly isComplete: boolean
}

export interface EntryInGroup {
  readonly group: string
  /** `delivered`: of a group of others Redis tells no more once it is acknowledged. */
  readonly kind: EntryState['kind'] | 'delivered'
  /** Who holds it; null unless it is pending. */
  readonly pending: PendingEntry | null
  readonly letter: ShownLetter | null
}

/** `api/entries`. */
export interface Entries {
  readonly entries: readonly { readonly id: string; readonly fields: readonly ShownField[] }[]
  readonly next: string | null
}

/** `api/doctor`. */
export interface Examination {
  readonly diagnosis: Diagnosis
  /** When it was examined, by the console's clock. */
  readonly atMs: number
}

/** `api/group`: what rarely changes. */
export interface GroupSettings extends GroupName {
  /** Keys of Redis that belong to the group, each with what it is for. */
  readonly keys: readonly { readonly key: string; readonly is: string }[]
}

/** Any answer that is no success. */
export interface Failure {
  /** Stable: of the engine, or `NOT_FOUND`, `FORBIDDEN`, `BAD_REQUEST`, `INTERNAL`. */
  readonly code: string
  readonly message: string
}
