import type { Client } from '../measure/client.ts'
import type { Checkin, Workload } from '../workload/checkins.ts'

/** One way to apply check-ins, as it takes part in a benchmark. All get the same entries and must leave the same hashes. */
export interface Rival {
  /** Stable id: names it in results. */
  readonly name: string
  /** What the tables call it. */
  readonly label: string
  /** Whether it is Millrace: the others are its peers, or floors. */
  readonly isOurs: boolean
  readonly program: Program
  /** Number of consumer processes. */
  readonly processes: number
  /** Part of the workload that one round takes: slow rivals take fewer entries, the rate is per entry. */
  readonly share: number
  /** What a crash leaves behind; `no effect`: it only reads and acknowledges, so no hash is checked. */
  readonly promise: 'exactly once' | 'at least once' | 'no effect'
  readonly setup: Setup
}

/** What is asked of the consumers beyond applying check-ins. */
export interface Setup {
  /** Millrace: whether the entries leave the server. */
  readonly mode?: 'pull' | 'push-down'
  /** Millrace, push-down: how long a call may hold the server (ms). Default: that of the engine. */
  readonly budgetMs?: number
  /** Millrace: keeps the rankings of the service up to date, too, which no peer has. Default: false, the same effect as the peers. */
  readonly hasRankings?: boolean
  /** A handler sees each entry first; it waits so long (ms), 0: not at all. Default: no handler where there can be none. */
  readonly waitMs?: number
  /** Entries that are handled at a time in one process. Default: the program's own. */
  readonly concurrency?: number
  /** After so long without a sign of life a consumer counts as dead (ms). Default: the program's own. */
  readonly leaseMs?: number
}

/** The code of a rival: where its check-ins wait, and what its consumer processes run. */
export interface Program {
  /** Names it to its consumer processes. */
  readonly name: string
  readonly backlog: Backlog
  /** Runs in the consumer process: connects, and returns the loop. The clock starts after all have connected. */
  readonly connect: (consumer: ConsumerOptions) => Promise<Loop>
}

export interface ConsumerOptions {
  readonly url: string
  /** Name within the group. */
  readonly name: string
  readonly setup: Setup
}

/** Consumes until its process is ended; it is not told how many entries there are. */
export type Loop = () => Promise<void>

/** Where the check-ins wait. */
export interface Backlog {
  /** Makes what consumers expect to find, on an empty server. */
  readonly prepare: (client: Client) => Promise<void>
  readonly openProducer: (url: string) => Promise<Producer>
  /** Whether every check-in is applied and acknowledged; asked again and again from outside the rival. */
  readonly isDone: (client: Client, workload: Workload) => Promise<boolean>
}

/** Puts check-ins into a backlog. */
interface Producer {
  /** As a live producer does: one entry per check-in, all that are due in one pipeline. */
  readonly append: (checkins: readonly Checkin[]) => Promise<unknown>
  /** The fastest way there is to the same entries; nobody measures it. */
  readonly fill: (checkins: readonly Checkin[]) => Promise<unknown>
  readonly close: () => Promise<void>
}
