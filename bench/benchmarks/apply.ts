import type { Chart } from '../report/chart.ts'
import { rivals, withProcesses } from '../rivals/all.ts'
import { atBestConcurrency } from './best-concurrency.ts'
import type { Benchmark, Result, Scale } from './benchmark.ts'
import { rateBars } from './charts.ts'
import { drainCases, drainColumns, drainHeadline, drainNotes } from './drain-cases.ts'

const sizes: Readonly<Record<Scale, { entries: number; users: number; locations: number }>> = {
  full: { entries: 200_000, users: 1_000_000, locations: 100_000 },
  short: { entries: 200_000, users: 1_000_000, locations: 100_000 },
  tiny: { entries: 2000, users: 10_000, locations: 1000 },
}

/** Names of the groups, which the bars look for. */
export const applyGroups = {
  off: 'append-only file off',
  everysec: 'append-only file, fsync every second',
  many: 'a million users, a hundred thousand locations',
} as const

/** From a full stream to correct hashes. */
export const apply: Benchmark = {
  name: 'apply',
  title: 'Apply: from a full stream to correct hashes',
  async cases({ scale }) {
    const { entries, users, locations } = sizes[scale]
    const { seedLoop, batchLoop, moleculer, floor, plainFloor } = rivals
    const { pushDown, pull, handler, longCalls, ranked } = rivals
    const bullmq = await atBestConcurrency(rivals.bullmq, scale)
    // A short run leaves out what the others say well enough.
    const peersOnDisk = scale === 'short' ? [] : [seedLoop, batchLoop, bullmq]
    const ours = [pushDown, pull, withProcesses(pull, 2), handler]
    const many = { group: applyGroups.many, entries, users, locations }
    return [
      ...drainCases({ group: applyGroups.off, entries }, [
        ...[seedLoop, withProcesses({ ...seedLoop, share: 0.2 }, 4)],
        ...[batchLoop, bullmq, moleculer, floor, plainFloor, ...ours, longCalls, ranked],
      ]),
      ...drainCases({ group: applyGroups.everysec, entries, appendonly: 'everysec' }, [
        ...[...peersOnDisk, floor, plainFloor, ...ours, longCalls],
      ]),
      ...drainCases(many, [batchLoop, bullmq, pushDown, pull]),
    ]
  },
  headline: drainHeadline,
  columns: Object.values(drainColumns),
  compared: 'rate',
  notes: drainNotes,
  charts,
}

function charts({ rows }: Result): Chart[] {
  return [
    {
      kind: 'bars',
      name: 'apply',
      title: 'Check-ins applied per second',
      subtitle: 'from a full stream to correct hashes, append-only file off; median and range',
      bars: rateBars(rows.filter(({ group }) => group === applyGroups.off)),
    },
  ]
}
