import { randomInt } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Config } from '../config.ts'
import {
  addMetricsFlags,
  integerWithin,
  type MetricsFlags,
  ratePerSecond,
  saysStopFailure,
  serveWhereAsked,
  UsageError,
} from 'millrace-ops/command'
import type { Posted } from '../generator/checkin-poster.ts'
import type { GeneratorMetrics } from '../generator/generator-metrics.ts'
import type { Log } from '../log.ts'
import { CheckinGenerator } from '../generator/generator.ts'
import type { Wiring } from '../wiring.ts'
import { untilStopped } from 'millrace-ops/stop'

interface Flags extends MetricsFlags {
  readonly url: URL
  readonly rate: number
  readonly count?: number
  readonly users: number
  readonly locations: number
  readonly seed?: number
}

const seedMax = 2 ** 31 - 1

export function command({ config, openLog }: Wiring): Command {
  const receiver = receiverUrl(config)
  const generator = new Command()
    .description('posts random check-ins to the receiver')
    .addOption(
      new Option('--rate <number>', 'check-ins per second, like 0.5 or 2000')
        .argParser(ratePerSecond)
        .default(1),
    )
    .addOption(
      new Option('--count <number>', 'end after so many were taken (default: never)').argParser(
        integerWithin(1, 1e12),
      ),
    )
    .addOption(
      new Option('--url <url>', 'where to post')
        .argParser(httpUrl)
        .default(receiver, receiver.href),
    )
    .addOption(
      new Option('--users <number>', 'users are 1 to this')
        .argParser(integerWithin(1, 1e9))
        .default(1000),
    )
    .addOption(
      new Option('--locations <number>', 'locations are 1 to this')
        .argParser(integerWithin(1, 1e9))
        .default(210),
    )
    .addOption(
      new Option(
        '--seed <number>',
        'the same seed gives the same check-ins (default: a new one)',
      ).argParser(integerWithin(0, seedMax)),
    )
  return addMetricsFlags(generator).action((flags: Flags) => run(flags, openLog(), config))
}

async function run(flags: Flags, log: Log, { logFormat }: Config): Promise<void> {
  const { count, seed = randomInt(seedMax), rate, url, users, locations } = flags
  const metrics = await metricsOf(flags, () => generator.isTaken)
  const onPosted = metrics && ((posted: Posted, ms: number) => metrics.posted(posted, ms))
  const what = { rate, url, users, locations, count, seed }
  const generator = new CheckinGenerator({
    ...what,
    log,
    onPosted,
    isForPrograms: logFormat === 'json',
  })
  const close = metrics && (await serveWhereAsked(flags, log, metrics))
  await untilStopped(generator, saysStopFailure(log)).finally(close)
}

async function metricsOf(
  { metricsPort }: MetricsFlags,
  isTaken: () => boolean,
): Promise<GeneratorMetrics | undefined> {
  if (metricsPort === undefined) return undefined
  const { GeneratorMetrics } = await import('../generator/generator-metrics.ts')
  return new GeneratorMetrics(isTaken)
}

/** Where our own receiver listens. One that listens on all addresses is reached on the loopback. */
function receiverUrl({ receiverHost, receiverPort }: Config): URL {
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[receiverHost] ?? receiverHost
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${receiverPort}/api/checkin`
  if (URL.canParse(url)) return new URL(url)
  throw new UsageError(
    `Cannot use "${receiverHost}" as CHECKIN_RECEIVER_HOST: allowed is a host name or an address`,
  )
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new InvalidArgumentError('Allowed is a URL like http://127.0.0.1:8082/api/checkin.')
}
