/** Cases that empty a full backlog, for all benchmarks that do that. */
import { drain } from '../measure/drain.ts'
import type { Case } from '../measure/rounds.ts'
import type { AppendOnly } from '../measure/server-figures.ts'
import { decimals, median, short, whole, withRange } from '../report/format.ts'
import type { Rival } from '../rivals/rival.ts'
import { makeWorkload } from '../workload/checkins.ts'
import type { Column } from './benchmark.ts'

/** What all cases of a group have in common. */
export interface DrainGroup {
  readonly group: string
  /** Check-ins of a rival whose share is 1. */
  readonly entries: number
  readonly users?: number
  readonly locations?: number
  /** Default `no`. */
  readonly appendonly?: AppendOnly
}

/** One case per rival. */
export function drainCases(condition: DrainGroup, rivals: readonly Rival[]): Case[] {
  const { group, entries, users = 1000, locations = 215, appendonly = 'no' } = condition
  return rivals.map((rival) => {
    const { name, label, isOurs, processes, promise, share, setup } = rival
    const count = Math.ceil(entries * share)
    return {
      rival: name,
      label,
      isOurs,
      group,
      facts: {
        ...{ processes, count, promise, users, locations, appendonly },
        concurrency: setup.concurrency ?? 1,
      },
      measure: () =>
        drain({ rival, workload: makeWorkload({ count, users, locations }), appendonly }),
    }
  })
}

export const drainColumns = {
  rival: { head: 'rival', align: 'left', cell: ({ label }) => label },
  consumers: { head: 'consumers', cell: ({ facts }) => String(facts.processes) },
  checkins: { head: 'check-ins', cell: ({ facts }) => whole(Number(facts.count)) },
  rate: {
    head: 'check-ins/s',
    cell: ({ figures, noisyRounds }) =>
      withRange(figures.rate, whole) + (noisyRounds > 0 ? ` *${noisyRounds}` : ''),
  },
  server: { head: 'server µs', cell: ({ figures }) => median(figures.serverMicros, decimals(1)) },
  node: { head: 'node µs', cell: ({ figures }) => median(figures.nodeMicros, decimals(1)) },
  file: {
    head: 'AOF bytes',
    cell: ({ figures, facts }) =>
      facts.appendonly === 'no' ? '-' : median(figures.aofBytes, whole),
  },
  crash: { head: 'a crash leaves', align: 'left', cell: ({ facts }) => String(facts.promise) },
} as const satisfies Record<string, Column>

/** One drain in a few words. */
export function drainHeadline({ rate = Number.NaN }: Readonly<Record<string, number>>): string {
  return `${short(rate)} check-ins/s`
}

export const drainNotes = [
  'The whole workload waits; the clock runs from the word "go" to connected consumers until the server says that all is acknowledged. Then every hash was compared with a reference, field by field: all were right. Slower rivals take the first part of the workload that the table names; rates are per check-in.',
  'Each measurement has a fresh redis-server and fresh consumer processes. CPU is user and system time per check-in, of redis-server and of all consumer processes together.',
]
