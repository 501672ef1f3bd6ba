import type { Case } from '../measure/rounds.ts'
import type { AppendOnly } from '../measure/server-figures.ts'
import type { Chart, Panel } from '../report/chart.ts'
import { compact } from '../report/format.ts'
import { rivals, withProcesses } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Benchmark, Result, Scale } from './benchmark.ts'
import { linesOver } from './charts.ts'
import { drainCases, drainColumns, drainHeadline, drainNotes } from './drain-cases.ts'

interface Size {
  readonly entries: number
  readonly consumers: readonly number[]
  readonly lengths: readonly number[]
  /** Numbers of users; there is a tenth as many locations. */
  readonly users: readonly number[]
  readonly files: readonly AppendOnly[]
}

const sizes: Readonly<Record<Scale, Size>> = {
  full: {
    entries: 200_000,
    consumers: [1, 2, 4],
    lengths: [10_000, 100_000, 1_000_000, 5_000_000],
    users: [1000, 10_000, 100_000, 1_000_000],
    files: ['no', 'everysec', 'always'],
  },
  short: {
    entries: 100_000,
    consumers: [1, 2, 4],
    lengths: [10_000, 300_000],
    users: [1000, 300_000],
    files: ['everysec', 'always'],
  },
  tiny: {
    entries: 500,
    consumers: [1, 2],
    lengths: [200],
    users: [100],
    files: ['always'],
  },
}

/** Names of the groups, which the bars look for. */
export const growthGroups = {
  consumers: 'more consumers',
  lengths: 'a longer stream',
  users: 'more keys',
  files: 'a safer append-only file',
} as const

/** How the rate changes as everything gets larger. */
export const growth: Benchmark = {
  name: 'growth',
  title: 'Growth: more consumers, longer streams, more keys, safer files',
  cases: ({ scale }) => {
    const { entries, consumers, lengths, users, files } = sizes[scale]
    const { pushDown, pull, batchLoop } = rivals
    const peers = scale === 'short' ? [] : [{ ...batchLoop, share: 1 }]
    const all = [...peers, pushDown, pull]
    const cases: Case[] = [
      ...consumers.flatMap((number) =>
        drainCases(
          { group: growthGroups.consumers, entries },
          all.map((rival) => together(rival, number)),
        ),
      ),
      ...lengths.flatMap((length) =>
        drainCases({ group: growthGroups.lengths, entries: length }, [pushDown, pull]),
      ),
      ...users.flatMap((number) =>
        drainCases(
          { group: growthGroups.users, entries, users: number, locations: number / 10 },
          all,
        ),
      ),
      ...files.flatMap((appendonly) =>
        drainCases({ group: growthGroups.files, entries, appendonly }, all),
      ),
    ]
    return Promise.resolve(cases)
  },
  headline: drainHeadline,
  columns: [
    drainColumns.rival,
    drainColumns.consumers,
    drainColumns.checkins,
    { head: 'users', cell: ({ facts }) => compact(Number(facts.users)) },
    {
      head: 'file',
      cell: ({ facts }) => (facts.appendonly === 'no' ? 'off' : String(facts.appendonly)),
    },
    drainColumns.rate,
    drainColumns.server,
    drainColumns.node,
    drainColumns.file,
  ],
  notes: drainNotes,
  charts,
}

/** Under one name, so that a line of the chart goes through all numbers of consumers. */
function together(rival: Rival, processes: number): Rival {
  return { ...withProcesses(rival, processes), name: rival.name }
}

function charts({ rows }: Result): Chart[] {
  const panel = (group: string, fact: string, show: (step: string | number) => string): Panel => {
    const members = rows.filter((row) => row.group === group)
    const steps = [...new Set(members.map(({ facts }) => facts[fact] ?? ''))]
    return {
      title: group,
      unit: 'check-ins/s',
      steps: steps.map(show),
      lines: linesOver(members, fact, steps, 'rate'),
    }
  }
  const number = (step: string | number): string => compact(Number(step))
  return [
    {
      kind: 'lines',
      name: 'growth',
      title: 'Check-ins applied per second as everything grows',
      subtitle: 'median of the rounds and range',
      panels: [
        panel(
          growthGroups.consumers,
          'processes',
          (step) => `${step} consumer${step === 1 ? '' : 's'}`,
        ),
        panel(growthGroups.lengths, 'count', (step) => `${number(step)} entries`),
        panel(growthGroups.users, 'users', (step) => `${number(step)} users`),
        panel(growthGroups.files, 'appendonly', (step) => (step === 'no' ? 'off' : String(step))),
      ],
    },
  ]
}
