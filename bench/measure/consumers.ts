import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { repositoryRoot } from '../places.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Order, Report } from './consumer-messages.ts'
import type { NodeParts } from './node-profile.ts'

/** The consumer processes of one measurement. */
export interface Consumers {
  /** Lets all of them start to consume. */
  readonly go: () => void
  /** Rejects as soon as one of them fails; never resolves. */
  readonly failure: Promise<never>
  /** The CPU time that they took together since `go`, user and system, in microseconds. */
  readonly cpuMicros: () => Promise<number>
  /** Resolves when the first one profiles itself. */
  readonly profile: () => Promise<void>
  /** Where its time went since then; ends that. */
  readonly profiled: () => Promise<NodeParts>
  /** Ends one of them by SIGKILL, in the middle of whatever it does; that is no failure. */
  readonly kill9: (index: number) => void
  /** Ends all that are left, without asking. */
  readonly kill: () => void
}

const program = fileURLToPath(new URL('./consumer-process.ts', import.meta.url))

/** The name within the group of a consumer, counted from 0. */
export function consumerName(index: number): string {
  return `consumer${index + 1}`
}

/** Starts a rival's processes, and resolves when all have connected: no start-up is ever timed. */
export async function startConsumers(rival: Rival, url: string): Promise<Consumers> {
  const children = Array.from({ length: rival.processes }, (_, index) => launch(rival, url, index))
  const victims = new Set<ChildProcess>()
  const kill = (): void => children.forEach((child) => child.kill('SIGKILL'))
  const failure = Promise.race(children.map((child) => failureOf(child, rival, victims)))
  // It may come at a time when nobody is waiting for it; whoever waits next still gets it.
  failure.catch(() => undefined)
  try {
    const ready = Promise.all(children.map((child) => reportOf(child, 'ready')))
    await Promise.race([ready, failure])
  } catch (error) {
    kill()
    throw error
  }
  return {
    go: () => children.forEach((child) => tell(child, 'go')),
    failure,
    async cpuMicros() {
      const living = children.filter((child) => !victims.has(child))
      const reports = Promise.all(living.map((child) => reportOf(child, 'usage')))
      living.forEach((child) => tell(child, 'usage'))
      const usages = await Promise.race([reports, failure])
      return usages.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0)
    },
    async profile() {
      const begun = reportOf(children[0]!, 'profiling')
      tell(children[0]!, 'profile')
      await Promise.race([begun, failure])
    },
    async profiled() {
      const told = reportOf(children[0]!, 'profiled')
      tell(children[0]!, 'profiled')
      return (await Promise.race([told, failure])).parts
    },
    kill9(index) {
      const victim = children[index]!
      victims.add(victim)
      victim.kill('SIGKILL')
    },
    kill() {
      children.forEach((child) => victims.add(child))
      kill()
    },
  }
}

function launch(rival: Rival, url: string, index: number): ChildProcess {
  const args = [rival.program.name, consumerName(index), url, JSON.stringify(rival.setup)]
  // A consumer ends by itself when this process is gone: its channel breaks.
  return fork(program, args, {
    cwd: repositoryRoot,
    execArgv: ['--conditions=millrace-source', '--import', 'tsx'],
  })
}

function tell(child: ChildProcess, order: Order): void {
  child.send(order)
}

async function reportOf<Kind extends Report['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Report, { kind: Kind }>> {
  for (;;) {
    const [report] = (await once(child, 'message')) as [Report]
    if (isKind(report, kind)) return report
  }
}

function isKind<Kind extends Report['kind']>(
  report: Report,
  kind: Kind,
): report is Extract<Report, { kind: Kind }> {
  return report.kind === kind
}

async function failureOf(
  child: ChildProcess,
  rival: Rival,
  victims: ReadonlySet<ChildProcess>,
): Promise<never> {
  const failed = reportOf(child, 'failed').then(({ message }) => message)
  const ended = once(child, 'exit').then(([code, signal]) =>
    victims.has(child)
      ? new Promise<never>(() => undefined)
      : `it ended with ${String(code ?? signal)}`,
  )
  const reason = await Promise.race([failed, ended])
  throw new Error(`Cannot measure ${rival.name}: a consumer failed: ${reason}`)
}
