import type { Case } from '../measure/rounds.ts'
import { measureLatency } from '../measure/latency.ts'
import type { Chart } from '../report/chart.ts'
import { decimals, median, short, whole, withRange } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import type { Benchmark, Column, Result, Scale } from './benchmark.ts'
import { linesOver } from './charts.ts'

const sizes: Readonly<
  Record<Scale, { rates: readonly number[]; seconds: number; warmUpSeconds: number }>
> = {
  full: { rates: [1000, 5000, 20_000], seconds: 10, warmUpSeconds: 2 },
  short: { rates: [1000, 5000, 20_000], seconds: 1.5, warmUpSeconds: 1 },
  tiny: { rates: [500], seconds: 0.3, warmUpSeconds: 0 },
}

/** The name of the group with this rate, which the bars look for. */
export function latencyGroup(rate: number): string {
  return `${whole(rate)} check-ins/s arrive`
}

/** From XADD to the hash, at fixed rates. */
export const latency: Benchmark = {
  name: 'latency',
  title: 'Latency: from the intended send time to a hash that shows the check-in',
  cases: ({ scale }) => {
    const { rates, seconds, warmUpSeconds } = sizes[scale]
    const { seedLoop, batchLoop, bullmq, pushDown, pull } = rivals
    const loops = scale === 'short' ? [] : [seedLoop, batchLoop]
    const cases = rates.flatMap((rate) =>
      [...loops, bullmq, pushDown, pull].map((rival): Case => {
        const { name, label, isOurs } = rival
        return {
          ...{ rival: name, label, isOurs },
          group: latencyGroup(rate),
          facts: { rate, seconds },
          measure: () => measureLatency({ rival, rate, seconds, warmUpSeconds }),
        }
      }),
    )
    return Promise.resolve(cases)
  },
  headline: ({ p50 = NaN, p99 = NaN, lateP99 = NaN }) =>
    `p50 ${short(p50)} ms, p99 ${short(p99)} ms (producer late by ${short(lateP99)} ms at p99)`,
  columns: [
    { head: 'rival', align: 'left', cell: ({ label }) => label },
    time('p50 ms', 'p50'),
    time('p99 ms', 'p99'),
    time('p99.9 ms', 'p999'),
    time('longest ms', 'max'),
    {
      head: 'server CPU',
      cell: ({ figures }) =>
        median(figures.serverShare, (share) => `${decimals(1)(100 * share)} %`),
    },
    {
      head: 'consumer CPU',
      cell: ({ figures }) => median(figures.nodeShare, (share) => `${decimals(1)(100 * share)} %`),
    },
  ],
  notes: [
    'Open loop: a producer process sends each check-in when it is due (pipelined XADD; BullMQ: addBulk), whatever the consumers do; the clock of each starts at that time, so waiting in the producer counts too. The seconds before the measured ones, with the same load, warm everybody up.',
    'Visible: the server sends a keyspace notification when the hash of a probe is first written. About 500 check-ins a second are probes, each of a user of its own. Afterwards all hashes were compared with a reference.',
    'Producer, server, consumer and observer share the cores. A time of seconds means that the rival cannot keep up with the rate: its backlog grows.',
  ],
  charts,
}

function time(head: string, figure: string): Column {
  const isRanged = figure !== 'max'
  return {
    head,
    cell: ({ figures, noisyRounds }) =>
      (isRanged ? withRange(figures[figure], short) : median(figures[figure], short)) +
      (figure === 'p50' && noisyRounds > 0 ? ` *${noisyRounds}` : ''),
  }
}

function charts({ rows }: Result): Chart[] {
  const rates = [...new Set(rows.map(({ facts }) => Number(facts.rate)))]
  const panel = (title: string, figure: string) => ({
    title,
    unit: 'ms',
    isLogarithmic: true,
    steps: rates.map((rate) => `${whole(rate)}/s`),
    lines: linesOver(rows, 'rate', rates, figure),
  })
  return [
    {
      kind: 'lines',
      name: 'latency',
      title: 'From XADD to a visible hash',
      subtitle:
        'milliseconds after the intended send time, by arrival rate; median of the rounds and range',
      panels: [panel('half of them within (p50)', 'p50'), panel('99 of 100 within (p99)', 'p99')],
    },
  ]
}
