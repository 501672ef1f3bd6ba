import { Argument, Command, Option } from 'commander'
import { claimReading } from '../processors/claim-reading.ts'
import { measured, type Measured } from '../processors/measured.ts'
import { GroupProcessor } from '../processors/group-processor.ts'
import { openTelemetry } from '../telemetry/telemetry.ts'
import type { Wiring } from '../wiring.ts'
import {
  addMetricsFlags,
  consumerName,
  duration,
  durationWithin,
  integerWithin,
  type MetricsFlags,
  saysStopFailure,
  type Span,
  work,
} from 'millrace-ops/command'
import { tellParent } from '../start/parent.ts'
import { untilStopped } from 'millrace-ops/stop'
import { otlpOption } from './options/otlp-option.ts'
import { withRemedy } from '../operated/remedies.ts'

interface Flags extends MetricsFlags {
  readonly drain: boolean
  readonly again: boolean
  readonly pull: boolean
  readonly batch?: number
  readonly budget?: number
  readonly work?: Span | 'none'
  readonly claimAfter: number
  readonly otlp?: string
}

const exercise: Span = { leastMs: 1000, mostMs: 5000 }
const budgetMs = 2

/** `npm run checkingroupprocessor NAME`: the seed's exercise, one check-in at a time. */
export function command(wiring: Wiring): Command {
  return groupProcessor(wiring, exercise)
}

/** @param byDefault what it does without `--work` and without a flag that asks for full speed */
export function groupProcessor(wiring: Wiring, byDefault: Span | 'none'): Command {
  const isExercise = byDefault !== 'none'
  const processor = new Command()
    .description(
      isExercise
        ? 'one consumer of the group, as in the exercise: one check-in at a time, and a pause of 1s..5s after it'
        : 'one consumer of the group that shares the stream of check-ins',
    )
    .addArgument(
      new Argument('<name>', 'name of the consumer, unique in the group').argParser(consumerName),
    )
    .addOption(
      new Option(
        '--work <span>',
        'pause after each batch, like 1s..5s, to simulate work; none: full speed ' +
          `(default: ${isExercise ? '1s..5s, but none with --drain, --pull, --batch or --budget' : 'none'})`,
      ).argParser(work),
    )
    .option('--drain', 'end as soon as nothing is undelivered or pending in the group', false)
    .option(
      '--pull',
      'read check-ins into this process, even when nothing here needs them (default: with --work or LOG_LEVEL=debug)',
      false,
    )
    .addOption(
      new Option(
        '--batch <entries>',
        'check-ins a call at most (default: what fits into --budget; pulled: 1000, with --work 1)',
      ).argParser(integerWithin(1, 5000)),
    )
    .addOption(
      new Option(
        '--budget <time>',
        `how long a call may hold the server; longer calls cost less per check-in (not when pulled) (default: ${budgetMs}ms)`,
      ).argParser(durationWithin(1, 1000)),
    )
    .addOption(
      new Option(
        '--claim-after <time>',
        'check-ins of a dead consumer are claimed within this time',
      )
        .argParser(duration)
        .default(10_000, '10s'),
    )
    .addOption(otlpOption())
    .option(
      '--again',
      'start although the single processor has counted the check-ins: they count twice',
      false,
    )
  return addMetricsFlags(processor).action((name: string, flags: Flags, self: Command) =>
    run(wiring, name, flags, { byDefault, usage: self.name() }),
  )
}

async function run(
  wiring: Wiring,
  name: string,
  flags: Flags,
  { byDefault, usage }: { byDefault: Span | 'none'; usage: string },
): Promise<void> {
  const { config, model } = wiring
  const { drain, pull, batch, budget, claimAfter: claimAfterMs } = flags
  const pauses = pausesOf(flags, byDefault)
  const telemetry = await openTelemetry({ url: flags.otlp, service: 'checkin-group-processor' })
  const log = wiring.openLog(
    pauses === undefined ? { level: 'info' } : { level: 'debug', hasTime: false },
  )
  telemetry?.tellTo(log)
  const millrace = await wiring.connect(log, telemetry?.tracing)
  const { group } = config
  const about = { millrace, log, stream: model.checkins.key, group }
  let measuring: Measured | undefined
  try {
    measuring = await measured(flags, about)
    const reading = { kind: 'group', name: group } as const
    await claimReading(millrace, { model, group, reading, again: flags.again })
    const given = { drain, pull, batch, budgetMs: budget ?? budgetMs, claimAfterMs }
    const onProcessed = (count: number): void => tellParent({ kind: 'processed', count })
    const options = {
      ...given,
      ...{ onProcessed, name, work: pauses, millrace, model, group, log },
      metrics: measuring?.metrics,
      isForPrograms: config.logFormat === 'json',
    }
    const processor = new GroupProcessor(options)
    if (flags.work === undefined && pauses !== undefined) log.info(exerciseNote(name, usage))
    await untilStopped(processor, saysStopFailure(log))
  } catch (error) {
    throw withRemedy(error, group)
  } finally {
    await measuring?.close()
    await millrace.close()
    await telemetry?.close()
  }
}

/** A flag that is for full speed asks for it. */
function pausesOf(
  { work: given, drain, pull, batch, budget }: Flags,
  byDefault: Span | 'none',
): Span | undefined {
  const isTuned = drain || pull || batch !== undefined || budget !== undefined
  const chosen = given ?? (isTuned ? 'none' : byDefault)
  return chosen === 'none' ? undefined : chosen
}

/** Nobody should wonder why it is slow. */
function exerciseNote(name: string, usage: string): string {
  const isNpm = usage.endsWith(' --')
  const call = isNpm ? `${usage.replace(/ --$/, '')} ${name} --` : `${usage} ${name}`
  return `${name}: One checkin at a time with pauses of 1s..5s, as in the exercise. Full speed: ${call} --work none`
}
