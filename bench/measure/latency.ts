/**
 * Measures how long after its intended send time a check-in shows in its hash, under an open loop.
 *
 * Every so-many-th check-in is a probe: of a user who has no other. The server tells of the first write to that user's
 * hash by a keyspace notification, which it sends when the script or command that wrote is over, so when every other
 * client can see it too. Nobody polls, and the server's work for it is one comparison per write.
 */
import { keys, makeWorkload, foldCheckins, probeIndex } from '../workload/checkins.ts'
import type { Rival } from '../rivals/rival.ts'
import { checkHashes } from './check.ts'
import { openClient, type Client } from './client.ts'
import { monotonicMs } from './clock.ts'
import { startConsumers } from './consumers.ts'
import { watchMachine } from './disturbance.ts'
import { untilDone } from './drain.ts'
import { startProducer } from './producer.ts'
import type { Measured } from './rounds.ts'
import { onFreshServer, serverCpuMicros } from './server-figures.ts'
import { percentile } from './statistics.ts'

/** Times in ms; `late` is how late the producer was, `overdueMs` how long after the last one was due all was done. */
export type LatencyFigures =
  'p50' | 'p99' | 'p999' | 'max' | 'lateP99' | 'overdueMs' | 'serverShare' | 'nodeShare'

export interface LatencyOptions {
  readonly rival: Rival
  /** Check-ins per second. */
  readonly rate: number
  readonly seconds: number
  /** Before these, with the same load; what it tells is thrown away. */
  readonly warmUpSeconds: number
}

const probesPerSecond = 500

/** @throws {Error} when a process fails or a hash is wrong. */
export async function measureLatency(options: LatencyOptions): Promise<Measured<LatencyFigures>> {
  return onFreshServer('no', async ({ client, url }) => {
    const { rival, rate, seconds, warmUpSeconds } = options
    const count = Math.ceil(rate * (seconds + warmUpSeconds))
    const probeEvery = Math.max(1, Math.round(rate / probesPerSecond))
    const workload = makeWorkload({ count, probeEvery })
    await rival.program.backlog.prepare(client)
    const visibleAt = await watchProbes(client, url)
    const consumers = await startConsumers(rival, url)
    const order = { program: rival.program.name, url, rate, count, probeEvery }
    const producer = await startProducer(order)
    try {
      const machine = watchMachine()
      const ownCpuBefore = process.cpuUsage()
      const serverCpuBefore = await serverCpuMicros(client)
      const start = monotonicMs()
      consumers.go()
      const produced = await Promise.race([producer.produce(), consumers.failure])
      await Promise.race([untilDone(rival, client, workload), consumers.failure])
      const end = monotonicMs()
      const serverCpu = (await serverCpuMicros(client)) - serverCpuBefore
      const nodeCpu = await consumers.cpuMicros()
      const ownCpu = process.cpuUsage(ownCpuBefore)
      await checkHashes(client, foldCheckins(workload))
      const dueAt = (index: number): number => produced.startedAt + (index * 1000) / rate
      const latencies = [...visibleAt]
        .filter(([index]) => index >= rate * warmUpSeconds)
        .map(([index, at]) => at - dueAt(index))
      return {
        ...machine(serverCpu + nodeCpu + produced.cpuMicros + ownCpu.user + ownCpu.system),
        figures: {
          p50: percentile(latencies, 0.5),
          p99: percentile(latencies, 0.99),
          p999: percentile(latencies, 0.999),
          max: percentile(latencies, 1),
          lateP99: percentile(produced.lateMs, 0.99),
          overdueMs: end - dueAt(count - 1),
          serverShare: serverCpu / 1000 / (end - start),
          nodeShare: nodeCpu / 1000 / (end - start),
        },
      }
    } finally {
      producer.kill()
      consumers.kill()
    }
  })
}

/** When the hash of each probe was first written, by the index of its check-in. */
async function watchProbes(client: Client, url: string): Promise<Map<number, number>> {
  const visibleAt = new Map<number, number>()
  await client.configSet('notify-keyspace-events', 'Kh')
  const observer = await openClient(url)
  const prefix = `__keyspace@0__:${keys.user(0).slice(0, -1)}`
  // Users of probes have nine digits.
  await observer.pSubscribe(`${prefix}?????????`, (_event, channel) => {
    const index = probeIndex(Number(channel.slice(prefix.length)))
    if (!visibleAt.has(index)) visibleAt.set(index, monotonicMs())
  })
  return visibleAt
}
