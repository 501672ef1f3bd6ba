/** What `check` holds against thresholds, and how each is written. */
import type { GroupSnapshot, ServerSnapshot, StreamSnapshot } from '../snapshot/snapshot.ts'
import { duration, written } from '../terminal/words.ts'

/** Names as in the flags: `--time-lag-warn`. */
export type MeasureName =
  | 'lag'
  | 'time-lag'
  | 'pending'
  | 'pending-age'
  | 'dead-letters'
  | 'paused'
  | 'trim-headroom'
  | 'memory'
  | 'consumers'

/** Entries, milliseconds, percent of the limit, or consumers. */
export type Unit = 'entries' | 'ms' | 'percent' | 'consumers'

interface Measured {
  /** Null: it is not known. */
  readonly value: number | null
  /** The true value may be larger. */
  readonly isAtLeast: boolean
}

/** What is looked at. */
export interface Looked {
  readonly group: GroupSnapshot
  readonly stream: StreamSnapshot
  readonly server: ServerSnapshot | null
  /** Milliseconds of the server's clock. */
  readonly atMs: number
}

export interface Measure {
  readonly name: MeasureName
  readonly unit: Unit
  /** As it stands in a sentence: `time lag`. */
  readonly noun: string
  /** More is worse, or less is. */
  readonly worse: 'more' | 'less'
  readonly read: (looked: Looked) => Measured
}

const exactly = (value: number | null): Measured => ({ value, isAtLeast: false })

export const measures: readonly Measure[] = [
  {
    ...{ name: 'lag', unit: 'entries', noun: 'lag', worse: 'more' },
    read: ({ group: { lag, lagDoubt } }) => {
      if (lagDoubt === null) return exactly(lag)
      return { value: Math.max(lag ?? 0, lagDoubt.atLeast), isAtLeast: lag === null }
    },
  },
  {
    ...{ name: 'time-lag', unit: 'ms', noun: 'time lag', worse: 'more' },
    read: ({ group }) => exactly(group.timeLagMs),
  },
  {
    ...{ name: 'pending', unit: 'entries', noun: 'pending', worse: 'more' },
    read: ({ group }) => exactly(group.pending),
  },
  {
    ...{ name: 'pending-age', unit: 'ms', noun: 'oldest pending', worse: 'more' },
    read: ({ group }) => exactly(group.oldestPending === null ? 0 : group.oldestPendingMs),
  },
  {
    ...{ name: 'dead-letters', unit: 'entries', noun: 'dead letters', worse: 'more' },
    read: ({ group }) => exactly(group.deadLetters),
  },
  {
    ...{ name: 'paused', unit: 'ms', noun: 'paused for', worse: 'more' },
    read: ({ group: { pause }, atMs }) =>
      exactly(pause === null ? 0 : Math.max(0, atMs - pause.since)),
  },
  {
    ...{ name: 'trim-headroom', unit: 'ms', noun: 'headroom before trimming', worse: 'less' },
    // Where nothing can overtake the group, or nothing comes, there is any amount of it.
    read: ({ stream: { trimHeadroom } }) => {
      const seconds = trimHeadroom?.seconds ?? Infinity
      return exactly(trimHeadroom?.isExact === false ? Infinity : seconds * 1000)
    },
  },
  {
    ...{ name: 'memory', unit: 'percent', noun: 'memory', worse: 'more' },
    read: ({ server }) => {
      if (server === null) return exactly(null)
      const { usedMemoryBytes, maxMemoryBytes } = server
      return exactly(maxMemoryBytes === 0 ? 0 : (100 * usedMemoryBytes) / maxMemoryBytes)
    },
  },
  {
    ...{ name: 'consumers', unit: 'consumers', noun: 'consumers', worse: 'less' },
    // Of others nobody can tell who lives.
    read: ({ group: { isManaged, consumerCounts, consumers } }) => {
      if (!isManaged) return exactly(consumerCounts.total)
      const halted = consumers.filter(({ state, isPaused }) => state === 'alive' && isPaused)
      return exactly(consumerCounts.alive - halted.length)
    },
  },
]

/** A value as people read it: `1,204`, `41.2 s`, `93 %`. */
export function valueText(value: number, unit: Unit): string {
  if (unit === 'ms') return duration(Math.round(value))
  return unit === 'percent' ? `${Math.floor(value)} %` : written(value)
}
