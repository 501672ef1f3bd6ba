import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** What on this machine disturbed a measurement. */
export interface Disturbance {
  /** How long a fixed loop took before and after, in ms: the machine's own speed at that time. */
  readonly spinMs: readonly [before: number, after: number]
  /** Part of the machine's time that the host gave to other machines, from 0 to 1; null where the system does not say. */
  readonly stolen: number | null
  /** Part of the machine's time that other processes took, from 0 to 1; null where the system does not say. */
  readonly others: number | null
}

/** Beyond any of these a measurement is marked as noisy. */
export const disturbanceMax = { spinDifference: 0.1, stolen: 0.05, others: 0.1 }

export function isNoisy({ spinMs: [before, after], stolen, others }: Disturbance): boolean {
  return (
    Math.abs(before - after) / Math.min(before, after) > disturbanceMax.spinDifference ||
    (stolen ?? 0) > disturbanceMax.stolen ||
    (others ?? 0) > disturbanceMax.others
  )
}

/** Watches the machine between two calls: `watch` starts, the function that it returns ends. */
export function watchMachine(): (ownCpuMicros: number) => Disturbance {
  const spinBefore = spinMs()
  const before = machineTimes()
  return (ownCpuMicros) => {
    const after = machineTimes()
    return { spinMs: [spinBefore, spinMs()], ...sharesOf(before, after, ownCpuMicros) }
  }
}

interface MachineTimes {
  readonly atMs: number
  readonly busyMs: number
  readonly stolenMs: number
}

function sharesOf(
  before: MachineTimes | undefined,
  after: MachineTimes | undefined,
  ownCpuMicros: number,
): Pick<Disturbance, 'stolen' | 'others'> {
  if (before === undefined || after === undefined) return { stolen: null, others: null }
  const allMs = (after.atMs - before.atMs) * cpus().length
  const othersMs = after.busyMs - before.busyMs - ownCpuMicros / 1000
  return {
    stolen: (after.stolenMs - before.stolenMs) / allMs,
    // The kernel counts the machine's time in ticks and a process' own exactly: a little below zero is zero.
    others: Math.max(0, othersMs / allMs),
  }
}

const tickMs = 10

/** The first line of /proc/stat: ticks by kind since the start. Undefined where there is no such file. */
function machineTimes(): MachineTimes | undefined {
  try {
    const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, stolen = 0] = line
      .split(/ +/)
      .slice(1)
      .map((ticks) => Number(ticks) * tickMs)
    const busyMs = user + nice + system + irq + softIrq
    return { atMs: performance.now(), busyMs, stolenMs: stolen }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const turns = 10_000_000
const tries = 5

/** Best of a few: an interruption of the loop itself shall not count as a slow machine. */
function spinMs(): number {
  return Math.min(...Array.from({ length: tries }, spin))
}

function spin(): number {
  const start = performance.now()
  let mixed = 1
  for (let turn = 0; turn < turns; turn++) mixed = (Math.imul(mixed, 1_664_525) + turn) | 0
  const ms = performance.now() - start
  // The result is used, so that the loop cannot be optimised away.
  return mixed === 0.5 ? 0 : ms
}
