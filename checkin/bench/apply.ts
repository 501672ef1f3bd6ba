import { loadavg } from 'node:os'
import { isNoisy } from './disturbance.ts'
import { describeMachine, type Machine } from './machine.ts'
import { measure, type AppendOnly, type Measurement } from './measurement.ts'
import { baselineName, rivals } from './rivals/all.ts'
import type { Rival } from './rivals/rival.ts'
import { spreadOf, type Spread } from './statistics.ts'
import { makeCheckins, spread } from './workload.ts'

/** What `bench-results/apply.json` holds. */
export interface ApplyResult {
  readonly benchmark: 'apply'
  /** ISO 8601. */
  readonly startedAt: string
  readonly machine: Machine
  readonly settings: ApplySettings & { readonly users: number; readonly locations: number }
  /** Load average of the last minute, before the first round and after the last. */
  readonly load: readonly [before: number, after: number]
  readonly rivals: readonly RivalResult[]
}

export interface ApplySettings {
  readonly rounds: number
  /** Check-ins of the workload; a rival with a share takes that part of them. */
  readonly entries: number
  readonly appendOnly: AppendOnly
}

/** One row of the table. */
export interface RivalResult extends Pick<Rival, 'name' | 'label' | 'processes' | 'promise'> {
  readonly entries: number
  /** Check-ins per second. */
  readonly rate: Spread
  /** Rate divided by the rate of the baseline in the same round. */
  readonly ratio: Spread
  /** CPU per check-in, in microseconds. */
  readonly serverMicros: Spread
  readonly nodeMicros: Spread
  /** How many of the rounds were disturbed by something else on the machine. */
  readonly noisyRounds: number
  readonly rounds: readonly Measurement[]
}

/**
 * Measures all rivals in turn, round after round, so that a slow minute of the machine hits all of them alike.
 * @throws {Error} as soon as one of them fails or leaves a wrong result.
 */
export async function runApply(
  settings: ApplySettings,
  progress: (line: string) => void,
): Promise<ApplyResult> {
  const startedAt = new Date().toISOString()
  const loadBefore = loadavg()[0] ?? 0
  const machine = await describeMachine()
  const checkins = makeCheckins(settings.entries)
  const measured = new Map<Rival, Measurement[]>(rivals.map((rival) => [rival, []]))
  for (let round = 1; round <= settings.rounds; round++) {
    for (const [rival, measurements] of measured) {
      const part = checkins.slice(0, Math.ceil(settings.entries * rival.share))
      const measurement = await measure(rival, part, settings.appendOnly)
      measurements.push(measurement)
      progress(progressLine(round, settings.rounds, rival, measurement))
    }
  }
  const baseline = [...measured].find(([rival]) => rival.name === baselineName)?.[1] ?? []
  return {
    benchmark: 'apply',
    startedAt,
    machine,
    settings: { ...settings, ...spread },
    load: [loadBefore, loadavg()[0] ?? 0],
    rivals: [...measured].map(([rival, rounds]) => summarise(rival, rounds, baseline)),
  }
}

function summarise(
  { name, label, processes, promise }: Rival,
  rounds: readonly Measurement[],
  baseline: readonly Measurement[],
): RivalResult {
  return {
    name,
    label,
    processes,
    promise,
    entries: rounds[0]?.entries ?? 0,
    rate: spreadOf(rounds.map(({ rate }) => rate)),
    ratio: spreadOf(rounds.map(({ rate }, index) => rate / (baseline[index]?.rate ?? Number.NaN))),
    serverMicros: spreadOf(rounds.map(({ serverMicros }) => serverMicros)),
    nodeMicros: spreadOf(rounds.map(({ nodeMicros }) => nodeMicros)),
    noisyRounds: rounds.filter((measurement) => isNoisy(measurement)).length,
    rounds,
  }
}

function progressLine(round: number, rounds: number, rival: Rival, measured: Measurement): string {
  const rate = Math.round(measured.rate).toLocaleString('en-US')
  const check = rival.promise === 'no effect' ? 'no effect to check' : 'result correct'
  const noise = isNoisy(measured) ? ', noisy' : ''
  return `round ${round}/${rounds}: ${rival.name}: ${rate} check-ins/s, ${check}${noise}`
}
