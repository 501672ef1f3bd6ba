/**
 * Measures how long after its intended send time a check-in shows in its hash, under an open loop.
 *
 * Every so-many-th check-in is a probe: of a user who has no other. The server tells of the first write to that user's
 * hash by a keyspace notification, which it sends when the script or command that wrote is over, so when every other
 * client can see it too. Nobody polls, and the server's work for it is one comparison per write.
 */
import { checkHashes } from '../measure/check.ts'
import { type Client, openClient } from '../measure/client.ts'
import { monotonicMs } from '../measure/clock.ts'
import { startConsumers } from '../measure/consumers.ts'
import { watchMachine } from '../measure/disturbance.ts'
import { untilDone } from '../measure/drain.ts'
import { startProducer } from '../measure/producer.ts'
import type { Case, Measured } from '../measure/rounds.ts'
import { onFreshServer, serverCpuMicros } from '../measure/server-figures.ts'
import { percentile } from '../measure/statistics.ts'
import type { Chart } from '../report/chart.ts'
import { decimals, median, short, whole, withRange } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import { foldCheckins, keys, makeWorkload, probeIndex } from '../workload/checkins.ts'
import type { Benchmark, Column, Result, Scale } from './benchmark.ts'
import { linesOver } from './charts.ts'

const sizes: Readonly<
  Record<Scale, { rates: readonly number[]; seconds: number; warmUpSeconds: number }>
> = {
  full: { rates: [1000, 5000, 20_000], seconds: 10, warmUpSeconds: 2 },
  short: { rates: [1000, 5000, 20_000], seconds: 1.5, warmUpSeconds: 1 },
  tiny: { rates: [500], seconds: 0.3, warmUpSeconds: 0 },
}

/** The name of the group with this rate, which the bars look for. */
export function latencyGroup(rate: number): string {
  return `${whole(rate)} check-ins/s arrive`
}

/** From XADD to the hash, at fixed rates. */
export const latency: Benchmark = {
  name: 'latency',
  title: 'Latency: from the intended send time to a hash that shows the check-in',
  cases: ({ scale }) => {
    const { rates, seconds, warmUpSeconds } = sizes[scale]
    const { seedLoop, batchLoop, bullmq, pushDown, pull } = rivals
    const loops = scale === 'short' ? [] : [seedLoop, batchLoop]
    const cases = rates.flatMap((rate) =>
      [...loops, bullmq, pushDown, pull].map((rival): Case => {
        const { name, label, isOurs } = rival
        return {
          ...{ rival: name, label, isOurs },
          group: latencyGroup(rate),
          facts: { rate, seconds },
          measure: () => measureLatency({ rival, rate, seconds, warmUpSeconds }),
        }
      }),
    )
    return Promise.resolve(cases)
  },
  headline: ({ p50 = NaN, p99 = NaN, lateP99 = NaN }) =>
    `p50 ${short(p50)} ms, p99 ${short(p99)} ms (producer late by ${short(lateP99)} ms at p99)`,
  columns: [
    { head: 'rival', align: 'left', cell: ({ label }) => label },
    time('p50 ms', 'p50'),
    time('p99 ms', 'p99'),
    time('p99.9 ms', 'p999'),
    time('longest ms', 'max'),
    {
      head: 'server CPU',
      cell: ({ figures }) =>
        median(figures.serverShare, (share) => `${decimals(1)(100 * share)} %`),
    },
    {
      head: 'consumer CPU',
      cell: ({ figures }) => median(figures.nodeShare, (share) => `${decimals(1)(100 * share)} %`),
    },
  ],
  notes: [
    'Open loop: a producer process sends each check-in when it is due (pipelined XADD; BullMQ: addBulk), whatever the consumers do; the clock of each starts at that time, so waiting in the producer counts too. The seconds before the measured ones, with the same load, warm everybody up.',
    'Visible: the server sends a keyspace notification when the hash of a probe is first written. About 500 check-ins a second are probes, each of a user of its own. Afterwards all hashes were compared with a reference.',
    'Producer, server, consumer and observer share the cores. A time of seconds means that the rival cannot keep up with the rate: its backlog grows.',
  ],
  charts,
}

function time(head: string, figure: string): Column {
  const isRanged = figure !== 'max'
  return {
    head,
    cell: ({ figures, noisyRounds }) =>
      (isRanged ? withRange(figures[figure], short) : median(figures[figure], short)) +
      (figure === 'p50' && noisyRounds > 0 ? ` *${noisyRounds}` : ''),
  }
}

function charts({ rows }: Result): Chart[] {
  const rates = [...new Set(rows.map(({ facts }) => Number(facts.rate)))]
  const panel = (title: string, figure: string) => ({
    title,
    unit: 'ms',
    isLogarithmic: true,
    steps: rates.map((rate) => `${whole(rate)}/s`),
    lines: linesOver(rows, 'rate', rates, figure),
  })
  return [
    {
      kind: 'lines',
      name: 'latency',
      title: 'From XADD to a visible hash',
      subtitle:
        'milliseconds after the intended send time, by arrival rate; median of the rounds and range',
      panels: [panel('half of them within (p50)', 'p50'), panel('99 of 100 within (p99)', 'p99')],
    },
  ]
}

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
