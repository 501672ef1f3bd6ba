import { Command, Option } from 'commander'
import { MillraceError, type TrimOutcome } from 'millrace'
import { CommandError, UsageError } from '../errors.ts'
import { asText } from '../retention/report.ts'
import { Retention, trimOnce } from '../retention/retention.ts'
import type { Wiring } from '../wiring.ts'
import { duration, integerWithin } from './arguments.ts'
import { sayPlace } from './place.ts'
import { untilStopped } from '../stop.ts'
import { saysStopFailure } from './stop-failure.ts'
import { creationRemedy } from './remedies.ts'

interface Flags {
  readonly keep: number
  readonly keepFor: number
  readonly every?: number
  readonly dryRun: boolean
  readonly json: boolean
}

// `GET /api/checkins/latest` shows up to 100 of the newest, processed or not.
const keptByDefault = 1000

/** `npm run trim`: removes check-ins that every group has processed, once or again and again. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description('Removes check-ins from the stream that every group has processed.')
    .addOption(
      new Option('--keep <entries>', 'the newest check-ins that stay')
        .argParser(integerWithin(0, 1e15 - 1))
        .default(keptByDefault),
    )
    .addOption(
      new Option('--keep-for <time>', 'check-ins younger than this stay, like 24h or 7d')
        .argParser(duration)
        .default(0, 'none'),
    )
    .addOption(
      new Option('--every <time>', 'trim again and again, until Ctrl-C').argParser(duration),
    )
    .option('--dry-run', 'say what would go and who holds the rest, and remove nothing', false)
    .option('--json', 'print it as JSON', false)
    .action((flags: Flags) => run(wiring, flags))
}

async function run(wiring: Wiring, flags: Flags): Promise<void> {
  const { every: everyMs } = flags
  checkEvery(flags)
  const log = everyMs === undefined ? undefined : wiring.openLog()
  const millrace = await wiring.connect(log)
  if (!flags.dryRun) sayPlace(millrace, wiring)
  const { model, config } = wiring
  const { group } = config
  const reserve = { keepEntries: flags.keep, keepMs: flags.keepFor }
  try {
    if (log !== undefined && everyMs !== undefined) {
      await untilStopped(
        new Retention({ millrace, model, group, log, everyMs, ...reserve }),
        saysStopFailure(log),
      )
    } else {
      const outcome = await trimOnce(millrace, model, { ...reserve, group, dryRun: flags.dryRun })
      process.stdout.write(`${shown(model.checkins.key, outcome, flags)}\n`)
    }
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'NO_STREAM') throw error
    throw error.withRemedy(creationRemedy)
  } finally {
    await millrace.close()
  }
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
function shown(stream: string, outcome: TrimOutcome, { json }: Flags): string {
  if (outcome.kind === 'unread') {
    throw new CommandError(
      `Cannot trim stream "${stream}": it has no group and the single processor has no position, so nothing says ` +
        `what is still needed. ${creationRemedy}`,
    )
  }
  return json ? JSON.stringify({ stream, ...outcome }) : asText(stream, outcome)
}
