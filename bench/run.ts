import { loadavg } from 'node:os'
import type { Benchmark, Plan, Result } from './benchmarks/benchmark.ts'
import { isNoisy } from './measure/disturbance.ts'
import { describeMachine } from './measure/machine.ts'
import { runRounds, type CaseFacts, type Measured } from './measure/rounds.ts'

/**
 * Measures all cases of a benchmark, round after round.
 * @throws {Error} as soon as one of them fails or leaves a wrong result.
 */
export async function runBenchmark(
  benchmark: Benchmark,
  plan: Plan,
  say: (line: string) => void,
): Promise<Result> {
  const startedAt = new Date().toISOString()
  const loadBefore = loadavg()[0] ?? 0
  const machine = await describeMachine()
  const measured = (round: number, { label, group }: CaseFacts, one: Measured): void => {
    const noise = isNoisy(one) ? ', noisy' : ''
    const what = benchmark.headline(one.figures)
    say(`${benchmark.name} ${round}/${plan.rounds}: ${group}: ${label}: ${what}${noise}`)
  }
  const cases = await benchmark.cases(plan)
  const { isSideBySide = false } = benchmark
  const rows = await runRounds(cases, { rounds: plan.rounds, isSideBySide, measured })
  return {
    benchmark: benchmark.name,
    scale: plan.scale,
    roundsAsked: plan.rounds,
    startedAt,
    machine,
    load: [loadBefore, loadavg()[0] ?? 0],
    rows,
  }
}
