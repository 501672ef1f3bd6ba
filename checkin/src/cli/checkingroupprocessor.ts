import { Argument, Command, Option } from 'commander'
import { GroupProcessor } from '../processors/group-processor.ts'
import type { Wiring } from '../wiring.ts'
import {
  consumerName,
  duration,
  durationWithin,
  integerWithin,
  span,
  type Span,
} from './arguments.ts'
import { untilStopped, withRemedy } from './stop-signals.ts'

interface Flags {
  readonly drain: boolean
  readonly pull: boolean
  readonly batch?: number
  readonly budget: number
  readonly work?: Span
  readonly claimAfter: number
}

export function command(wiring: Wiring): Command {
  return groupProcessor(wiring)
}

export function groupProcessor(wiring: Wiring): Command {
  const { config, model } = wiring
  return new Command()
    .description('one consumer of the group that shares the stream of check-ins')
    .addArgument(
      new Argument('<name>', 'name of the consumer, unique in the group').argParser(consumerName),
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
        'how long a call may hold the server; longer calls cost less per check-in (not when pulled)',
      )
        .argParser(durationWithin(1, 1000))
        .default(2, '2ms'),
    )
    .addOption(
      new Option(
        '--work <span>',
        'pause after each batch, like 1s..5s, to simulate work',
      ).argParser(span),
    )
    .addOption(
      new Option(
        '--claim-after <time>',
        'check-ins of a dead consumer are claimed within this time',
      )
        .argParser(duration)
        .default(10_000, '10s'),
    )
    .action(async (name: string, flags: Flags) => {
      const log = wiring.openLog(flags.work === undefined ? 'info' : 'debug')
      const millrace = await wiring.connect(log)
      try {
        const { claimAfter: claimAfterMs, budget: budgetMs, ...rest } = flags
        const given = { ...rest, name, claimAfterMs, budgetMs }
        const options = { ...given, millrace, model, group: config.group, log }
        await untilStopped(new GroupProcessor(options), log)
      } catch (error) {
        throw withRemedy(error)
      } finally {
        await millrace.close()
      }
    })
}
