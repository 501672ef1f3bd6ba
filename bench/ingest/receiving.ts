/** A receiver under measurement: in a process of its own, on a redis-server of its own. */
import { watchMachine, type Disturbance } from '../measure/disturbance.ts'
import { onFreshServer, serverCpuMicros, type Stage } from '../measure/server-figures.ts'
import type { Cost, Listening, LoadOrder, LoadReport } from './messages.ts'
import { cost, load, message, start } from './processes.ts'

export interface Receiving {
  readonly port: number
  /** CPU (µs) since the start and resident memory (bytes) of the receiver's process. */
  readonly cost: () => Promise<Cost>
  /** Posts single check-ins from another process. */
  readonly post: (order: Omit<LoadOrder, 'port' | 'path'>) => Promise<LoadReport>
  /** Watches the machine from now on; the function that it resolves to ends that, and tells what receiver and server took (µs). */
  readonly watch: () => Promise<(ownCpuMicros: number) => Promise<Watched>>
}

interface Watched {
  readonly receiverMicros: number
  readonly serverMicros: number
  readonly disturbance: Disturbance
}

/** What a measurement saw. */
interface Seen<Result> {
  readonly result: Result
  /** Check-ins that were taken: all are in the stream. */
  readonly taken: number
  /** There may be more entries, whose answers came after the end; default: there may not. */
  readonly isCutOff?: boolean
}

/**
 * Runs `work` against the receiver of this name, which is gone afterwards.
 * @throws {Error} when the stream does not hold what was taken.
 */
export async function whileReceiving<Result>(
  name: string,
  work: (receiving: Receiving) => Promise<Seen<Result>>,
): Promise<Result> {
  return onFreshServer('no', async (stage) => {
    const receiver = start('server-process.ts', [name, stage.url])
    try {
      const { port } = await message<Listening>(receiver)
      const seen = await work({
        port,
        cost: () => cost(receiver),
        post: (order) => load({ ...order, port, path: '/api/checkin' }),
        watch: () => watch(stage, () => cost(receiver)),
      })
      await checkEntries(stage, seen)
      return seen.result
    } finally {
      receiver.kill('SIGKILL')
    }
  })
}

async function watch({ client }: Stage, costNow: () => Promise<Cost>) {
  const machine = watchMachine()
  const [receiver, server] = [(await costNow()).cpuMicros, await serverCpuMicros(client)]
  return async (ownCpuMicros: number): Promise<Watched> => {
    const receiverMicros = (await costNow()).cpuMicros - receiver
    const serverMicros = (await serverCpuMicros(client)) - server
    const disturbance = machine(receiverMicros + serverMicros + ownCpuMicros)
    return { receiverMicros, serverMicros, disturbance }
  }
}

async function checkEntries(
  { client }: Stage,
  { taken, isCutOff = false }: Seen<unknown>,
): Promise<void> {
  const entries = await client.xLen('ncc:checkins')
  if (entries < taken || (entries > taken && !isCutOff)) {
    throw new Error(`${taken} check-ins were taken, ${entries} are in the stream`)
  }
}

/** How many were answered with 202. @throws {Error} when one was answered with a status that is none of these. */
export function takenOf({ answers }: LoadReport, refusals: readonly string[] = []): number {
  const wrong = Object.keys(answers).filter((status) => ![...refusals, '202'].includes(status))
  if (wrong.length > 0) throw new Error(`Not all were taken: ${wrong.join(', ')}`)
  return answers['202'] ?? 0
}
