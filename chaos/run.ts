/** One run: scene, faults, verdict. */
import type { ServerKind } from '../testing/redis-servers.ts'
import { direct, type Tally } from './director.ts'
import type { MemberKind } from './crew.ts'
import type { Fault } from './fault.ts'
import { connectionFaults } from './faults/connections.ts'
import { consumerFaults } from './faults/consumers.ts'
import { operatorFaults } from './faults/operators.ts'
import { serverFaults } from './faults/server.ts'
import type { History } from './history.ts'
import type { Classes } from './judge.ts'
import { Scene, type SceneOptions } from './scene.ts'

export interface RunOptions extends Omit<SceneOptions, 'kind' | 'hasShiftedClock'> {
  readonly server: ServerKind
  readonly minutes: number
  /** Default: all. */
  readonly faults?: readonly Fault[]
  /** The consumers at the start; default: two that pull, one that drains in the server, one with a handler. */
  readonly kinds?: readonly MemberKind[]
  /** Entries in a burst, default 50: about 400 a second. */
  readonly burst?: number
  /** Everything must be processed so long after the last fault, default 60,000 ms. */
  readonly settleMaxMs?: number
  /** After a violation, default true. */
  readonly keepsEvidence?: boolean
  /** Called with a line each minute and with each of the first violations at once. */
  readonly say?: (line: string) => void
}

export interface RunResult {
  readonly server: string
  readonly seed: number
  readonly seconds: number
  readonly tallies: ReadonlyMap<string, Tally>
  readonly classes: Classes
  readonly history: History
  readonly recoveries: readonly number[]
  readonly claimed: number
  readonly superseded: number
  readonly retried: number
  readonly looks: number
  /** `void`: some kind of fault never bit, so the run proves nothing about it. */
  readonly verdict: 'ok' | 'violation' | 'void'
  /** Where server data and output are kept for a look, after a violation. */
  readonly evidence: string | undefined
}

const allFaults: readonly Fault[] = [
  ...consumerFaults,
  ...connectionFaults,
  ...serverFaults,
  ...operatorFaults,
]

/** Runs the faults for so long, lets everything heal, and judges. */
export async function run(options: RunOptions): Promise<RunResult> {
  const { minutes, faults = allFaults, burst = 50, keepsEvidence = true } = options
  const { kinds = ['processor', 'processor', 'pushing', 'handler'] } = options
  const scene = await Scene.open({ ...options, kind: options.server, hasShiftedClock: true })
  const { say = () => undefined } = options
  const minute = setInterval(() => say(progressLine(scene)), 60_000)
  scene.history.onViolation = (what) => {
    if (scene.history.violations.length <= saidMax) say(`violation, ${what}`)
  }
  try {
    const { crew, history } = scene
    await Promise.all(kinds.map((kind) => crew.hire(kind)))
    scene.appender.start({ burst, pauseMs: 100 })
    const tallies = await direct(scene, faults, minutes * 60_000)
    await scene.settle(options.settleMaxMs)
    const classes = await scene.verdict()
    const isVoid = [...tallies.values()].some(({ bites }) => bites === 0)
    const hasViolation = history.violations.length > 0
    return {
      server: await scene.describeServer(),
      seed: options.seed,
      seconds: Math.round(history.now / 1000),
      tallies,
      classes,
      history,
      recoveries: scene.recoveries,
      claimed: crew.sumOf(/Claimed (\d+)/g),
      superseded: crew.sumOf(/Superseded: (\d+)/g),
      retried: [...crew.output.matchAll(/Retried /g)].length,
      looks: scene.watch.looks,
      verdict: hasViolation ? 'violation' : isVoid ? 'void' : 'ok',
      evidence: hasViolation && keepsEvidence ? scene.keepEvidence() : undefined,
    }
  } finally {
    clearInterval(minute)
    await scene.close()
  }
}

const saidMax = 20

function progressLine({ history, server }: Scene): string {
  const { operations, violations, now } = history
  const minutes = Math.round(now / 60_000)
  return `${server.kind}: ${minutes} min, ${operations.length} operations, ${violations.length} violations`
}
