import { measureIdle } from '../measure/idle.ts'
import type { Case } from '../measure/rounds.ts'
import { decimals, withRange } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import type { Benchmark, Column, Scale } from './benchmark.ts'

const sizes: Readonly<Record<Scale, { seconds: number; settleSeconds: number }>> = {
  // Right after its start a process tidies its memory up for some seconds.
  full: { seconds: 20, settleSeconds: 20 },
  short: { seconds: 10, settleSeconds: 10 },
  tiny: { seconds: 0.3, settleSeconds: 0.1 },
}

/** The only group, which the bars look for. */
export const idleGroup = 'one consumer, nothing to do'

/** What it costs to have a consumer for which there is nothing to do. */
export const idle: Benchmark = {
  name: 'idle',
  title: 'Idle: what a consumer costs when nothing arrives',
  isSideBySide: true,
  cases: ({ scale }) => {
    const { seedLoop, batchLoop, bullmq, moleculer, pushDown, pull, handler } = rivals
    const idling = [seedLoop, batchLoop, bullmq, moleculer, pushDown, pull, handler]
    const cases = idling.map((rival): Case => {
      const { name, label, isOurs } = rival
      return {
        ...{ rival: name, label, isOurs },
        group: idleGroup,
        facts: { seconds: sizes[scale].seconds },
        measure: () => measureIdle({ rival, ...sizes[scale] }),
      }
    })
    return Promise.resolve(cases)
  },
  headline: ({ commandsPerSecond = NaN, nodeShare = NaN }) =>
    `${commandsPerSecond.toFixed(1)} commands/s, ${(100 * nodeShare).toFixed(2)} % of a core`,
  columns: [
    { head: 'rival', align: 'left', cell: ({ label }) => label },
    {
      head: 'commands/s',
      cell: ({ figures }) => withRange(figures.commandsPerSecond, decimals(1)),
    },
    { head: 'with scripts', cell: ({ figures }) => withRange(figures.callsPerSecond, decimals(1)) },
    percentOfCore('Node, % of a core', 'nodeShare'),
    percentOfCore('server, % of a core', 'serverShare'),
    percentOfCore('the server alone before', 'emptyServerShare'),
  ],
  notes: [
    'Each consumer has a server of its own; all wait side by side, because they cost next to nothing. Commands are those that the consumer sends (MONITOR), and with what its scripts call in turn (INFO commandstats), without those of the observer; CPU is user and system time of the process.',
  ],
}

function percentOfCore(head: string, figure: string): Column {
  const shown = (share: number): string => (100 * share).toFixed(2)
  return { head, cell: ({ figures }) => withRange(figures[figure], shown) }
}
