import Table from 'cli-table3'
import type { ApplyResult, RivalResult } from './apply.ts'
import { disturbanceMax } from './disturbance.ts'
import type { Spread } from './statistics.ts'

/** Column heads of the apply benchmark; `*` marks a rival with noisy rounds. */
export const columns = [
  'rival',
  'consumers',
  'check-ins',
  'check-ins/s',
  'x seed loop',
  'server µs',
  'node µs',
  'a crash leaves',
] as const

/** The cells of one rival, in the order of the columns. */
export function cells(rival: RivalResult): string[] {
  const noise = rival.noisyRounds > 0 ? ` *${rival.noisyRounds}` : ''
  return [
    rival.label,
    String(rival.processes),
    whole(rival.entries),
    `${withRange(rival.rate, whole)}${noise}`,
    withRange(rival.ratio, (value) => value.toFixed(1)),
    rival.serverMicros.median.toFixed(1),
    rival.nodeMicros.median.toFixed(1),
    rival.promise,
  ]
}

const percent = (share: number): string => `${100 * share} %`
const noiseMeans =
  `a fixed loop takes over ${percent(disturbanceMax.spinDifference)} longer or shorter after it than before, ` +
  `the host takes over ${percent(disturbanceMax.stolen)} of the machine's time, ` +
  `or other processes over ${percent(disturbanceMax.others)}`

/** What a reader must know to read the numbers: one sentence each. */
export function notes({ settings, machine, rivals, load }: ApplyResult): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const noisy = rivals.reduce((sum, { noisyRounds }) => sum + noisyRounds, 0)
  const measured = rivals.length * settings.rounds
  return [
    `${whole(settings.entries)} check-ins of ${whole(settings.users)} users at ${whole(settings.locations)} locations wait in the stream; slower rivals take the first part of them that the table names. Rates are per check-in.`,
    `Median (range) of ${settings.rounds} interleaved rounds; each ratio is to the one-consumer seed loop of the same round. Each measurement has a fresh redis-server, append-only file: ${settings.appendOnly}, and fresh consumer processes, connected before the clock starts.`,
    'The clock stops when the server says that all is acknowledged. Then every hash was compared with the reference, field by field: all were right.',
    'CPU is user and system time per check-in, of redis-server and of all consumer processes together.',
    `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ${machine.system}; load average ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after; nothing pinned to a core. ${versions.join(', ')}.`,
    noisy === 0
      ? `No measurement was noisy; it is when ${noiseMeans}.`
      : `*N: N noisy rounds, ${noisy} of ${measured} measurements in all: ${noiseMeans}.`,
  ]
}

/** The table for a terminal, with its notes below. */
export function renderTable(result: ApplyResult): string {
  const table = new Table({
    head: [...columns],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  })
  table.push(...result.rivals.map(cells))
  return [table.toString(), ...notes(result), ''].join('\n')
}

function withRange({ median, min, max }: Spread, show: (value: number) => string): string {
  return min === max ? show(median) : `${show(median)} (${show(min)}-${show(max)})`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
