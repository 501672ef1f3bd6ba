/** The benchmark `ingest`: check-ins over HTTP, one a request, side by side in one run. */
import { startRedis } from '../../testing/redis-servers.ts'
import type { Listening, LoadReport } from './ingest/messages.ts'
import { cost, load, message, start } from './ingest/processes.ts'
import { checkEntries } from './ingest/stream.ts'
import { ingestRivals, type IngestRival } from './ingest/rivals.ts'
import { spreadOf, type Spread } from './measure/statistics.ts'
import type { AppendOnly } from './measure/server-figures.ts'

export interface IngestSettings {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  readonly appendOnly: AppendOnly
}

/** One receiver, once. */
interface Round {
  /** Check-ins a second, each connection sending the next one after its answer. */
  readonly rate: number
  /** At half of that rate, sent at even intervals whether or not the answers come. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicros: number
}

export interface IngestResult {
  readonly name: string
  readonly label: string
  readonly rate: Spread
  /** Rate divided by that of the first rival in the same round. */
  readonly ratio: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  /** CPU of the receiver's process for a check-in, in microseconds. */
  readonly cpuMicros: Spread
}

/**
 * Measures all receivers in turn, round after round; each check-in that was answered with 202 must be in the stream.
 * @throws {Error} when one is missing, or anything but a 202 was answered.
 */
export async function runIngest(
  settings: IngestSettings,
  progress: (line: string) => void,
): Promise<IngestResult[]> {
  const measured = new Map<IngestRival, Round[]>(ingestRivals.map((rival) => [rival, []]))
  for (let number = 1; number <= settings.rounds; number += 1) {
    for (const [rival, rounds] of measured) {
      const round = await measure(rival, settings)
      rounds.push(round)
      progress(
        `round ${number}/${settings.rounds}: ${rival.name}: ${Math.round(round.rate).toLocaleString('en-US')}/s, ` +
          `${round.cpuMicros.toFixed(1)} µs CPU each, at half load p99 ${round.p99Ms.toFixed(1)} ms`,
      )
    }
  }
  const [baseline = []] = measured.values()
  return [...measured].map(([{ name, label }, rounds]) => ({
    name,
    label,
    rate: spreadOf(rounds.map(({ rate }) => rate)),
    ratio: spreadOf(rounds.map(({ rate }, at) => rate / (baseline[at]?.rate ?? Number.NaN))),
    p50Ms: spreadOf(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: spreadOf(rounds.map(({ p99Ms }) => p99Ms)),
    cpuMicros: spreadOf(rounds.map(({ cpuMicros }) => cpuMicros)),
  }))
}

/** The results as a table for the terminal and for Markdown. */
export function ingestTable(results: readonly IngestResult[]): string {
  const lines = results.map(({ label, rate, ratio, p50Ms, p99Ms, cpuMicros }) =>
    [
      label,
      Math.round(rate.median).toLocaleString('en-US'),
      `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)})`,
      cpuMicros.median.toFixed(1),
      p50Ms.median.toFixed(1),
      p99Ms.median.toFixed(1),
    ].join(' | '),
  )
  const head =
    'receiver | check-ins/s | ratio | CPU µs each | p50 ms at half load | p99 ms at half load (bar: under 10)'
  return [head, '--- | ---: | ---: | ---: | ---: | ---:', ...lines]
    .map((line) => `| ${line} |\n`)
    .join('')
}

const warmUpSeconds = 1

async function measure(rival: IngestRival, settings: IngestSettings): Promise<Round> {
  const { seconds, connections } = settings
  const redis = await startRedis({ appendonly: settings.appendOnly })
  const server = start('server-process.ts', [rival.name, redis.url])
  try {
    const { port } = await message<Listening>(server)
    const order = { port, path: '/api/checkin', connections }
    const warm = await load({ ...order, seconds: warmUpSeconds })
    const before = await cost(server)
    const full = await load({ ...order, seconds })
    const after = await cost(server)
    const rate = taken(full) / full.seconds
    const half = await load({ ...order, seconds, rate: rate / 2 })
    if (half.unsent > 0) throw new Error(`${half.unsent} requests could not be sent at half load`)
    await checkEntries(redis.url, taken(warm) + taken(full) + taken(half))
    const cpuMicros = (after.cpuMicros - before.cpuMicros) / taken(full)
    return { rate, p50Ms: half.p50Ms, p99Ms: half.p99Ms, cpuMicros }
  } finally {
    server.kill('SIGKILL')
    await redis.stop()
  }
}

function taken({ answers }: LoadReport): number {
  const { 202: count = 0, ...others } = answers
  const refused = Object.keys(others)
  if (refused.length > 0) throw new Error(`Not all were taken: ${refused.join(', ')}`)
  return count
}
