/** The options of the receiver about connections, and how long it takes leave of them. */
import { Option, type Command } from 'commander'
import { durationWithin } from 'millrace-ops/command'

export interface ConnectionFlags {
  /** Milliseconds, as all times here. */
  readonly grace: number
  readonly keepAlive: number
}

/** A person at a terminal has no load balancer that must notice. */
const graceAtTerminalMs = 500

export function addConnectionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--grace <time>',
        'after SIGTERM, serve on for so long, though /readyz says 503, so that load balancers notice (Ctrl-C: 500ms at most)',
      )
        .argParser(durationWithin(0, 3_600_000))
        .default(10_000, '10s'),
    )
    .addOption(
      new Option(
        '--keep-alive <time>',
        'keep idle connections for so long; longer than the balancer in front does',
      )
        .argParser(durationWithin(1000, 3_600_000))
        .default(75_000, '75s'),
    )
}

/** How long to serve on after this signal. */
export function graceOf({ grace }: ConnectionFlags, signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? Math.min(grace, graceAtTerminalMs) : grace
}
