import { Command, Option } from 'commander'
import { duration, integerWithin } from '../command/arguments.ts'
import { CommandError, UsageError } from '../command/errors.ts'
import { addMetricsFlags, type MetricsFlags } from '../command/metrics-flags.ts'
import type { TrimMetrics } from '../metrics/trim-metrics.ts'
import { serveWhereAsked } from '../metrics/where-asked.ts'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
import { creationRemedy } from '../place/remedies.ts'
import { saysStopFailure } from '../command/stop-failure.ts'
import { asText } from '../retention/report.ts'
import { checkGroupKnown, Retention, trimOnce } from '../retention/retention.ts'
import type { Service } from '../service.ts'
import { untilStopped } from '../stop.ts'
import { print } from './output.ts'

interface Flags extends PlaceFlags, MetricsFlags {
  readonly keep: number
  readonly keepFor: number
  readonly every?: number
  readonly dryRun: boolean
  readonly json: boolean
}

// Somebody looks at the newest entries, processed or not.
const keptByDefault = 1000

/** `trim`: removes what every group has processed, once or again and again. */
export function command(service: Service): Command {
  const many = service.words.entry[1]
  const trim = addPlace(
    new Command()
      .description(`Removes ${many} from the stream that every group has processed.`)
      .addOption(
        new Option('--keep <entries>', `the newest ${many} that stay`)
          .argParser(integerWithin(0, 1e15 - 1))
          .default(keptByDefault),
      )
      .addOption(
        new Option('--keep-for <time>', `${many} younger than this stay, like 24h or 7d`)
          .argParser(duration)
          .default(0, 'none'),
      )
      .addOption(
        new Option('--every <time>', 'trim again and again, until Ctrl-C').argParser(duration),
      )
      .option('--dry-run', 'say what would go and who holds the rest, and remove nothing', false)
      .option('--json', 'print it as JSON', false),
    service,
    'a group that has to be there; if it was lost, what it had not settled stays',
  )
  const about =
    'with --every: serve /metrics, /livez and /readyz on this port; 0 takes any free one'
  return addMetricsFlags(trim, about).action((flags: Flags) => run(service, flags))
}

async function run(service: Service, flags: Flags): Promise<void> {
  const { every: everyMs, dryRun } = flags
  checkEvery(flags)
  const log = everyMs === undefined ? undefined : service.openLog()
  const reserve = { keepEntries: flags.keep, keepMs: flags.keepFor }
  const work = async (place: Place): Promise<void> => {
    // The group of the service need not be there: the stream may be read without it.
    if (flags.group !== undefined) await checkGroupKnown(place, flags.group)
    if (log !== undefined && everyMs !== undefined) {
      const metrics = await metricsOf(flags, place)
      const close = metrics && (await serveWhereAsked(flags, log, metrics))
      const retention = new Retention(place, { ...reserve, log, everyMs, metrics })
      await untilStopped(retention, saysStopFailure(log)).finally(close)
    } else {
      await once(place, flags, { ...reserve, dryRun })
    }
  }
  await at(service, flags, work, { changes: !dryRun, about: 'stream', ...(log && { log }) })
}

async function metricsOf(
  { metricsPort }: MetricsFlags,
  { millrace, stream }: Place,
): Promise<TrimMetrics | undefined> {
  if (metricsPort === undefined) return undefined
  const { TrimMetrics } = await import('../metrics/trim-metrics.ts')
  return new TrimMetrics(stream.key, millrace)
}

/** @throws {UsageError} */
function checkEvery({ every: everyMs, dryRun, json }: Flags): void {
  if (everyMs === undefined) return
  if (dryRun || json) {
    throw new UsageError('Cannot use --every with --dry-run or --json: it logs what it does')
  }
  if (everyMs < 10 || everyMs > 86_400_000) {
    throw new UsageError('Cannot use that --every: allowed is a time from 10ms to 24h')
  }
}

/** @throws {CommandError} when nothing says what is still needed. */
async function once(
  place: Place,
  { json }: Flags,
  options: Parameters<typeof trimOnce>[1],
): Promise<void> {
  const { key } = place.stream
  const outcome = await trimOnce(place, options)
  if (outcome.kind === 'unread') {
    const readers = place.knowledge.readers.map(({ title }) => ` and the ${title} has no position`)
    throw new CommandError(
      `Cannot trim stream "${key}": it has no group${readers.join('')}, so nothing says ` +
        `what is still needed. ${creationRemedy(place)}`,
    )
  }
  print(json, { stream: key, ...outcome }, asText(key, outcome, place))
}
