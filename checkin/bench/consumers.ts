import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Order, Report } from './consumer-messages.ts'
import { repositoryRoot } from './places.ts'
import type { Rival } from './rivals/rival.ts'

/** The consumer processes of one measurement. */
export interface Consumers {
  /** Lets all of them start to consume. */
  readonly go: () => void
  /** Rejects as soon as one of them fails; never resolves. */
  readonly failure: Promise<never>
  /** Ends all of them. Resolves to the CPU time that they took together since `go`, in microseconds. */
  readonly stop: () => Promise<number>
  /** Ends what is left of them, without asking. */
  readonly kill: () => void
}

const program = fileURLToPath(new URL('./consumer-process.ts', import.meta.url))

/** Starts a rival's processes, and resolves when all have connected: no start-up is ever timed. */
export async function startConsumers(rival: Rival, url: string): Promise<Consumers> {
  const children = Array.from({ length: rival.processes }, (_, index) =>
    // A consumer ends by itself when this process is gone: its channel breaks.
    fork(program, [rival.name, `consumer${index + 1}`, url], {
      cwd: repositoryRoot,
      execArgv: ['--conditions=millrace-source', '--import', 'tsx'],
    }),
  )
  const kill = (): void => children.forEach((child) => child.kill('SIGKILL'))
  const tell = (order: Order): void => children.forEach((child) => child.send(order))
  const failure = Promise.race(children.map((child) => failureOf(child, rival)))
  // It may come at a time when nobody is waiting for it; whoever waits next still gets it.
  failure.catch(() => undefined)
  try {
    const ready = Promise.all(children.map((child) => reportOf(child, 'ready')))
    await Promise.race([ready, failure])
  } catch (error) {
    kill()
    throw error
  }
  const stop = async (): Promise<number> => {
    const stopped = Promise.all(children.map((child) => reportOf(child, 'stopped')))
    tell('stop')
    const reports = await Promise.race([stopped, failure])
    return reports.reduce((sum, { cpuMicros }) => sum + cpuMicros, 0)
  }
  return { go: () => tell('go'), failure, stop, kill }
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

async function failureOf(child: ChildProcess, rival: Rival): Promise<never> {
  const failed = reportOf(child, 'failed').then(({ message }) => message)
  const ended = once(child, 'exit').then(([code, signal]) => {
    // A consumer that has been told to stop ends with 0; everything else comes unasked.
    return code === 0
      ? new Promise<never>(() => undefined)
      : `it ended with ${String(code ?? signal)}`
  })
  const reason = await Promise.race([failed, ended])
  throw new Error(`Cannot measure ${rival.name}: a consumer failed: ${reason}`)
}
