/** The part of the benchmark `ingest` about overload: many more check-ins are offered than one receiver can take. */
import { startRedis } from '../../testing/redis-servers.ts'
import type { Listening, LoadReport } from './ingest/messages.ts'
import { cost, load, message, start } from './ingest/processes.ts'
import { checkEntries } from './ingest/stream.ts'
import type { AppendOnly } from './measure/server-figures.ts'
import { spreadOf, type Spread } from './measure/statistics.ts'

export interface OverloadSettings {
  readonly rounds: number
  readonly seconds: number
  /** Connections of the peak; each sends the next check-in after its answer. */
  readonly connections: number
  /** Connections over which too much is offered: as many requests can be under way. */
  readonly crowd: number
  readonly appendOnly: AppendOnly
}

/** One burst, after the peak of the same round. Rates are requests a second. */
interface Burst {
  readonly due: number
  readonly sent: number
  /** Answered with 202. */
  readonly taken: number
  readonly share: number
  /** `taken` divided by what is taken over as many connections when each waits for its answer. */
  readonly crowdShare: number
  readonly refused: number
  readonly p99Ms: number
}

export interface OverloadResult {
  /** How many times the peak was offered. */
  readonly factor: number
  readonly peak: Spread
  /** What was due at that rate, and what the load process could send: it shares the machine with the receiver. */
  readonly due: Spread
  readonly sent: Spread
  readonly taken: Spread
  /** `taken` divided by the peak of the same round. */
  readonly share: Spread
  /** `taken` divided by the peak over as many connections: what the offer alone costs, without that of the connections. */
  readonly crowdShare: Spread
  readonly refused: Spread
  readonly p99Ms: Spread
  /** Resident memory of the receiver after it, in bytes. */
  readonly rss: Spread
}

const factors = [2, 5]
const warmUpSeconds = 1

/**
 * Measures the peak of the receiver, then offers 2 and 5 times as much, evenly, whether or not it answers.
 * @throws {Error} when a 202 is no entry, or anything but 202, 429 and 503 was answered.
 */
export async function runOverload(
  settings: OverloadSettings,
  progress: (line: string) => void,
): Promise<OverloadResult[]> {
  const peaks: number[] = []
  const bursts = new Map(factors.map((factor) => [factor, [] as (Burst & { rss: number })[]]))
  for (let round = 1; round <= settings.rounds; round += 1) {
    const redis = await startRedis({ appendonly: settings.appendOnly })
    const server = start('server-process.ts', ['millrace', redis.url])
    try {
      const { port } = await message<Listening>(server)
      const { connections, crowd, seconds } = settings
      const order = { port, path: '/api/checkin', seconds }
      const warm = await load({ ...order, connections, seconds: warmUpSeconds })
      const full = await load({ ...order, connections })
      const peak = takenOf(full) / full.seconds
      peaks.push(peak)
      const crowded = await load({ ...order, connections: crowd })
      const crowdPeak = takenOf(crowded) / crowded.seconds
      let taken = takenOf(warm) + takenOf(full) + takenOf(crowded)
      for (const [factor, list] of bursts) {
        const report = await load({ ...order, connections: crowd, rate: factor * peak })
        taken += takenOf(report)
        const { rss } = await cost(server)
        const burst = burstOf(report, peak, crowdPeak)
        list.push({ ...burst, rss })
        progress(`overload ${round}/${settings.rounds}: ${sentence(factor, burst)}`)
      }
      await checkEntries(redis.url, taken)
    } finally {
      server.kill('SIGKILL')
      await redis.stop()
    }
  }
  return [...bursts].map(([factor, list]) => ({
    factor,
    peak: spreadOf(peaks),
    due: spreadOf(list.map(({ due }) => due)),
    sent: spreadOf(list.map(({ sent }) => sent)),
    taken: spreadOf(list.map(({ taken }) => taken)),
    share: spreadOf(list.map(({ share }) => share)),
    crowdShare: spreadOf(list.map(({ crowdShare }) => crowdShare)),
    refused: spreadOf(list.map(({ refused }) => refused)),
    p99Ms: spreadOf(list.map(({ p99Ms }) => p99Ms)),
    rss: spreadOf(list.map(({ rss }) => rss)),
  }))
}

/** The results as sentences, by their medians. */
export function overloadSentences(results: readonly OverloadResult[]): string {
  return results
    .map(({ factor, due, sent, taken, share, crowdShare, refused, p99Ms, rss }) => {
      const burst: Burst = {
        due: due.median,
        sent: sent.median,
        taken: taken.median,
        share: share.median,
        crowdShare: crowdShare.median,
        refused: refused.median,
        p99Ms: p99Ms.median,
      }
      return (
        `Overload, ${sentence(factor, burst)}; resident memory ${Math.round(rss.median / 1e6)} MB; ` +
        'every 202 is in the stream\n'
      )
    })
    .join('')
}

function sentence(
  factor: number,
  { due, sent, taken, share, crowdShare, refused, p99Ms }: Burst,
): string {
  const rate = (value: number): string => `${Math.round(value).toLocaleString('en-US')}/s`
  const all = sent < 0.95 * due ? ' (more could not be sent: all connections were waiting)' : ''
  return (
    `${factor} times the peak: ${rate(due)} due, ${rate(sent)} sent${all}, ${rate(taken)} taken, ` +
    `${Math.round(share * 100)} % of the peak (bar: 90 %), ${Math.round(crowdShare * 100)} % of that over as many connections, ${rate(refused)} refused, p99 ${p99Ms.toFixed(0)} ms`
  )
}

function burstOf(report: LoadReport, peak: number, crowdPeak: number): Burst {
  const { seconds, sent, unsent, answers, p99Ms } = report
  const taken = takenOf(report) / seconds
  const refused = ((answers['429'] ?? 0) + (answers['503'] ?? 0)) / seconds
  // What still waits for a connection at the end is in neither: it is little.
  const due = (sent + unsent) / seconds
  return {
    due,
    sent: sent / seconds,
    taken,
    share: taken / peak,
    crowdShare: taken / crowdPeak,
    refused,
    p99Ms,
  }
}

function takenOf({ answers }: LoadReport): number {
  const wrong = Object.keys(answers).filter((status) => !['202', '429', '503'].includes(status))
  if (wrong.length > 0) throw new Error(`Answered with ${wrong.join(', ')}`)
  return answers['202'] ?? 0
}
