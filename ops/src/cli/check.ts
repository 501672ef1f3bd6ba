import { Command, Option } from 'commander'
import type { Millrace } from 'millrace'
import { formats, formatted, type Format } from '../check/formats.ts'
import {
  exitCodes,
  judge,
  unknownFor,
  type Threshold,
  type Thresholds,
  type Verdict,
} from '../check/judge.ts'
import type { MeasureName } from '../check/measures.ts'
import { duration, integerWithin } from '../command/arguments.ts'
import { UsageError } from '../command/errors.ts'
import { isOurs } from '../command/tell-failure.ts'
import { addPlace, connectBy, type PlaceFlags } from '../place/place.ts'
import type { Service } from '../service.ts'
import { takeSnapshot } from '../snapshot/take-snapshot.ts'
import { escaped } from '../terminal/words.ts'
import { printText } from './output.ts'

type Flags = PlaceFlags & { readonly format: Format } & Readonly<Record<string, unknown>>

const count = integerWithin(0, 1_000_000_000_000)

/** Flags `--NAME-warn` and `--NAME-critical`. */
const flags: readonly (readonly [
  MeasureName,
  value: string,
  of: string,
  (text: string) => number,
])[] = [
  ['lag', '<entries>', 'undelivered entries', count],
  ['time-lag', '<time>', 'age of the oldest undelivered entry, like 30s', duration],
  ['pending', '<entries>', 'delivered and not acknowledged', count],
  ['pending-age', '<time>', 'age of the oldest of them', duration],
  ['dead-letters', '<letters>', 'dead letters', count],
  ['paused', '<time>', 'how long the group has been paused', duration],
  ['trim-headroom', '<time>', 'less time until others trim what waits', duration],
  ['memory', '<percent>', 'memory of the server, of its limit', integerWithin(1, 100)],
]

/** `check`: one line and an exit code, for monitoring systems. */
export function command(service: Service): Command {
  const check = addPlace(
    new Command().description(
      'Holds groups against thresholds, without any against their states; one line, the worst first. ' +
        'Without --stream all groups of the server. Exit code 0: ok, 1: warning, 2: critical, 3: unknown.',
    ),
    service,
  )
  for (const [name, value, of, parse] of flags) {
    for (const level of ['warn', 'critical'] as const) {
      check.addOption(
        new Option(
          `--${name}-${level} ${value}`,
          `${level === 'warn' ? 'warning' : level}: ${of}`,
        ).argParser(parse),
      )
    }
  }
  return check
    .addOption(
      new Option(
        '--consumers-min <consumers>',
        'critical: fewer that live and are not paused',
      ).argParser(integerWithin(1, 100_000)),
    )
    .addOption(new Option('--format <format>', 'what it prints').choices(formats).default('text'))
    .action(async (given: Flags) => {
      process.exitCode = await run(service, given)
    })
}

/** @returns the exit code. */
async function run(service: Service, given: Flags): Promise<number> {
  const thresholds = thresholdsOf(given)
  const verdict = await verdictOn(service, given, thresholds)
  printText(formatted(verdict, given.format))
  return exitCodes[verdict.status]
}

/** What hinders the look is a verdict, too. */
async function verdictOn(service: Service, given: Flags, thresholds: Thresholds): Promise<Verdict> {
  let millrace: Millrace | undefined
  try {
    millrace = await connectBy(service, given)
    return await judged(millrace, { ...service, ...named(given) }, thresholds)
  } catch (error) {
    if (!isOurs(error) || error instanceof UsageError) throw error
    return unknownFor(error.message)
  } finally {
    await millrace?.close()
  }
}

function named({ stream, group }: PlaceFlags): PlaceFlags {
  return { ...(stream !== undefined && { stream }), ...(group !== undefined && { group }) }
}

/** Rates, states of movement and headroom need two looks. */
const looksApartMs = 1000

async function judged(
  millrace: Millrace,
  { stream, group }: Pick<PlaceFlags, 'stream' | 'group'>,
  thresholds: Thresholds,
): Promise<Verdict> {
  const isTwice = Object.keys(thresholds).length === 0 || thresholds['trim-headroom'] !== undefined
  const snapshot = await takeSnapshot(millrace, {
    streams: stream === undefined ? undefined : [stream],
    group,
    overMs: isTwice ? looksApartMs : 0,
  })
  const verdict = judge(snapshot, thresholds)
  if (verdict.groups.length > 0) return verdict
  const which = group === undefined ? 'a group' : `group "${escaped(group)}"`
  const where = stream === undefined ? '' : ` of stream "${escaped(stream)}"`
  return unknownFor(`there is no stream with ${which}${where} at ${millrace.url}`)
}

/** @throws {UsageError} when a warning would come later than what is critical. */
function thresholdsOf(given: Flags): Thresholds {
  const found: Partial<Record<MeasureName, Threshold>> = {}
  for (const [name] of flags) {
    const warn = numberOf(given, `${name}-warn`)
    const critical = numberOf(given, `${name}-critical`)
    if (warn === undefined && critical === undefined) continue
    checkOrder(name, { warn, critical })
    found[name] = { warn, critical }
  }
  const least = numberOf(given, 'consumers-min')
  if (least !== undefined) found.consumers = { critical: least }
  return found
}

function checkOrder(name: MeasureName, { warn, critical }: Threshold): void {
  if (warn === undefined || critical === undefined) return
  const isWrong = name === 'trim-headroom' ? warn < critical : warn > critical
  if (!isWrong) return
  const than = name === 'trim-headroom' ? 'smaller' : 'larger'
  throw new UsageError(`Cannot use --${name}-warn: it is ${than} than --${name}-critical`)
}

function numberOf(given: Flags, flag: string): number | undefined {
  const value = given[flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())]
  return typeof value === 'number' ? value : undefined
}
