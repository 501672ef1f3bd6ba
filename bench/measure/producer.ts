import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { repositoryRoot } from '../places.ts'
import type { ProducerOrder, ProducerReport } from './producer-messages.ts'

type Production = Extract<ProducerReport, { kind: 'done' }>

/** A producer process that is connected and has its check-ins ready. */
export interface ProducerProcess {
  /** Lets it produce. Resolves when all is appended. @throws {Error} when it fails. */
  readonly produce: () => Promise<Production>
  readonly kill: () => void
}

const program = fileURLToPath(new URL('./producer-process.ts', import.meta.url))

/** Starts an open-loop producer. @throws {Error} when it cannot start. */
export async function startProducer(order: ProducerOrder): Promise<ProducerProcess> {
  const child = fork(program, [JSON.stringify(order)], {
    cwd: repositoryRoot,
    execArgv: ['--conditions=millrace-source', '--import', 'tsx'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  const next = async (): Promise<ProducerReport> => {
    const ended = once(child, 'exit').then(([code]): ProducerReport => {
      return { kind: 'failed', message: `it ended with ${String(code)}` }
    })
    const reported = once(child, 'message').then(([message]) => message as ProducerReport)
    const report = await Promise.race([reported, ended])
    if (report.kind !== 'failed') return report
    kill()
    throw new Error(`Cannot produce for ${order.program}: ${report.message}`)
  }
  await next()
  return {
    async produce() {
      child.send('go')
      return (await next()) as Production
    },
    kill,
  }
}
