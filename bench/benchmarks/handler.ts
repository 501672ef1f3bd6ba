import { decimals, whole, withRange } from '../report/format.ts'
import type { Chart } from '../report/chart.ts'
import { rivals } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import { atBestConcurrency } from './best-concurrency.ts'
import type { Benchmark, Column, Result, Scale } from './benchmark.ts'
import { rateBars } from './charts.ts'
import { drainCases, drainColumns, drainHeadline, drainNotes } from './drain-cases.ts'

const sizes: Readonly<Record<Scale, { nothing: number; waits: number }>> = {
  full: { nothing: 200_000, waits: 200_000 },
  short: { nothing: 200_000, waits: 30_000 },
  tiny: { nothing: 1000, waits: 500 },
}

/** What each handler waits for, and how many of them may at a time. */
const waiting = { waitMs: 5, concurrency: 100 }

/** Handlers per second when nothing but the waits takes time. */
function idealRate(concurrency: number): number {
  return (concurrency * 1000) / waiting.waitMs
}

/** Names of the groups, which the bars look for. */
export const handlerGroups = {
  nothing: 'a handler that does nothing',
  waits: `a handler that waits ${waiting.waitMs} ms, ${waiting.concurrency} at a time unless said`,
} as const

/** Check-ins that a handler sees first. */
export const handler: Benchmark = {
  name: 'handler',
  title: 'Handler: user code sees each check-in first',
  async cases({ scale }) {
    const { nothing, waits } = sizes[scale]
    const { seedLoop, batchLoop, bullmq, moleculer, waitsAlone, handler: ours } = rivals
    const fourHundred = {
      ...ours,
      name: `${ours.name}-400`,
      label: 'Millrace, pull, 400 at a time',
      setup: { ...ours.setup, ...waiting, concurrency: 400 },
    }
    return [
      ...drainCases({ group: handlerGroups.nothing, entries: nothing }, [
        ...[seedLoop, batchLoop, await atBestConcurrency(bullmq, scale), moleculer],
        ...[ours, { ...ours, ...oneAtATime }],
      ]),
      ...drainCases({ group: handlerGroups.waits, entries: waits }, [
        ...[waitingFor(seedLoop, 0.01), waitingFor(batchLoop), waitingFor(moleculer)],
        ...[waitingFor(bullmq, 0.5), await atBestConcurrency(waitsBest(bullmq), scale)],
        ...[waitingFor(waitsAlone), { ...waitingFor(ours), label: 'Millrace, pull' }, fourHundred],
      ]),
    ]
  },
  headline: drainHeadline,
  columns: [
    ...[drainColumns.rival, drainColumns.checkins, drainColumns.rate, idealShare()],
    ...[drainColumns.server, drainColumns.node, drainColumns.crash],
  ],
  compared: 'rate',
  notes: [
    ...drainNotes,
    `The ideal rate is concurrency / wait: ${whole(idealRate(waiting.concurrency))} check-ins/s for ${waiting.concurrency}. No program on Node reaches it, because a timer of Node counts whole milliseconds and fires late; the floor shows what the waits alone leave. The seed's loop handles one entry at a time, whatever the concurrency.`,
  ],
  charts,
}

const oneAtATime = {
  name: 'millrace-handler-1',
  label: 'Millrace, pull with a no-op handler, one at a time',
  setup: { mode: 'pull', waitMs: 0, concurrency: 1 },
} as const

function waitingFor(rival: Rival, share = 1): Rival {
  return { ...rival, share, setup: { ...rival.setup, ...waiting } }
}

/** BullMQ may have more handlers at a time than the others. */
function waitsBest(rival: Rival): Rival {
  return {
    ...waitingFor(rival, 0.5),
    name: `${rival.name}-best`,
    label: rival.label.replace(' (', ' at its best ('),
  }
}

function idealShare(): Column {
  return {
    head: '% of the ideal',
    cell: ({ figures: { rate }, group, facts, rival }) => {
      if (group !== handlerGroups.waits || rate === undefined) return '-'
      const concurrency = rival === rivals.seedLoop.name ? 1 : Number(facts.concurrency)
      const percent = (value: number): number => (100 * value) / idealRate(concurrency)
      const { median, min, max } = rate
      const spread = { median: percent(median), min: percent(min), max: percent(max) }
      return withRange(spread, decimals(1))
    },
  }
}

function charts({ rows }: Result): Chart[] {
  return [
    {
      kind: 'bars',
      name: 'handler',
      title: 'Check-ins per second with a handler that waits 5 ms',
      subtitle: '100 handlers at a time in one process; ideal 20,000; median and range',
      bars: rateBars(rows.filter(({ group }) => group === handlerGroups.waits)),
    },
  ]
}
