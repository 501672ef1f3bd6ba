import type { Client } from '../client.ts'
import type { WorkloadEntry } from '../workload.ts'

/** One way to apply check-ins. All of them get the same entries and must leave the same hashes. */
export interface Rival {
  /** Stable id: names it in results and to its consumer processes. */
  readonly name: string
  /** What the tables call it. */
  readonly label: string
  /** Number of consumer processes. */
  readonly processes: number
  /** Part of the workload that one round takes: slow rivals take fewer entries, the rate is per entry. */
  readonly share: number
  /** What a crash leaves behind; `no effect`: it only reads and acknowledges, so no hash is checked. */
  readonly promise: 'exactly once' | 'at least once' | 'no effect'
  readonly backlog: Backlog
  /** Runs in the consumer process: connects, and returns the loop. The clock starts after all have connected. */
  readonly connect: (consumer: ConsumerOptions) => Promise<Loop>
}

export interface ConsumerOptions {
  readonly url: string
  /** Name within the group. */
  readonly name: string
}

/** Consumes until its process is ended; it is not told how many entries there are. */
export type Loop = () => Promise<void>

/** Where the check-ins wait. */
export interface Backlog {
  /** Puts all check-ins there, before the clock starts. */
  readonly fill: (
    server: { url: string; client: Client },
    checkins: readonly WorkloadEntry[],
  ) => Promise<void>
  /** Whether every check-in is applied and acknowledged; asked again and again from outside the rival. */
  readonly isDone: (client: Client, lastId: string) => Promise<boolean>
}
