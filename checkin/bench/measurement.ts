import { setTimeout as wait } from 'node:timers/promises'
import { startRedis, type StartOptions } from '../../testing/redis-servers.ts'
import { checkHashes } from './check.ts'
import { openClient, type Client } from './client.ts'
import { startConsumers } from './consumers.ts'
import { watchMachine, type Disturbance } from './disturbance.ts'
import type { Rival } from './rivals/rival.ts'
import { foldCheckins, type WorkloadEntry } from './workload.ts'

/** How the measured server writes its append-only file; `no`: it keeps none. */
export type AppendOnly = NonNullable<StartOptions['appendonly']>

/** One rival, once: from a full backlog to every check-in applied and acknowledged. */
export interface Measurement extends Disturbance {
  readonly entries: number
  readonly seconds: number
  /** Check-ins per second. */
  readonly rate: number
  /** CPU of redis-server, user and system, per check-in. */
  readonly serverMicros: number
  /** CPU of all consumer processes together, user and system, per check-in. */
  readonly nodeMicros: number
}

const pollMs = 5

/**
 * Measures one rival on a redis-server of its own and checks what it left there.
 * @throws {Error} when a consumer fails, the backlog does not get empty in time, or a hash is wrong.
 */
export async function measure(
  rival: Rival,
  checkins: readonly WorkloadEntry[],
  appendonly: AppendOnly,
): Promise<Measurement> {
  // A rewrite of the file in the middle of a measurement would be charged to one rival by chance.
  const args = ['--auto-aof-rewrite-percentage', '0']
  const server = await startRedis({ appendonly, args })
  const client = await openClient(server.url)
  try {
    await rival.backlog.fill({ url: server.url, client }, checkins)
    const span = await consumeAll(rival, { url: server.url, client }, checkins)
    if (rival.promise !== 'no effect') await checkHashes(client, foldCheckins(checkins))
    const entries = checkins.length
    return {
      entries,
      seconds: span.seconds,
      rate: entries / span.seconds,
      serverMicros: span.serverCpuMicros / entries,
      nodeMicros: span.nodeCpuMicros / entries,
      ...span.disturbance,
    }
  } finally {
    client.destroy()
    await server.stop()
  }
}

interface Span {
  readonly seconds: number
  readonly serverCpuMicros: number
  readonly nodeCpuMicros: number
  readonly disturbance: Disturbance
}

async function consumeAll(
  rival: Rival,
  { url, client }: { url: string; client: Client },
  checkins: readonly WorkloadEntry[],
): Promise<Span> {
  const consumers = await startConsumers(rival, url)
  try {
    const machine = watchMachine()
    const ownCpuBefore = process.cpuUsage()
    const serverCpuBefore = await serverCpuMicros(client)
    const start = performance.now()
    consumers.go()
    await Promise.race([untilDone(rival, client, checkins), consumers.failure])
    const seconds = (performance.now() - start) / 1000
    const serverCpu = (await serverCpuMicros(client)) - serverCpuBefore
    const ownCpu = process.cpuUsage(ownCpuBefore)
    const nodeCpuMicros = await consumers.stop()
    const disturbance = machine(serverCpu + nodeCpuMicros + ownCpu.user + ownCpu.system)
    return { seconds, serverCpuMicros: serverCpu, nodeCpuMicros, disturbance }
  } finally {
    consumers.kill()
  }
}

/**
 * Asks the server every few milliseconds whether all is done: the same for all rivals, and from outside.
 * That costs the server well below a percent, and all rates are that much too low at most.
 */
async function untilDone(
  rival: Rival,
  client: Client,
  checkins: readonly WorkloadEntry[],
): Promise<void> {
  const lastId = checkins.at(-1)?.id ?? '0-0'
  // 1,000 check-ins a second is a third of what the slowest rival does on a busy machine.
  const deadline = performance.now() + 60_000 + checkins.length
  while (!(await rival.backlog.isDone(client, lastId))) {
    if (performance.now() > deadline) {
      throw new Error(
        `Cannot measure ${rival.name}: its backlog is not empty after the time allowed`,
      )
    }
    await wait(pollMs)
  }
}

async function serverCpuMicros(client: Client): Promise<number> {
  const info = await client.info('cpu')
  const seconds = (field: string): number =>
    Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1])
  return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6
}
