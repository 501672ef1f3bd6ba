import { Command } from 'commander'
import { claimReading } from '../processors/claim-reading.ts'
import { SingleProcessor } from '../processors/single-processor.ts'
import { openTelemetry } from '../telemetry/telemetry.ts'
import type { Wiring } from '../wiring.ts'
import { untilStopped } from 'millrace-ops/stop'
import { saysStopFailure } from 'millrace-ops/command'
import { otlpOption } from './options/otlp-option.ts'
import { withRemedy } from '../operated/remedies.ts'

interface Flags {
  readonly drain: boolean
  readonly again: boolean
  readonly otlp?: string
}

export function command(wiring: Wiring): Command {
  return new Command()
    .description(
      'the single processor: reads the stream of check-ins alone, from a stored position',
    )
    .option('--drain', 'end at the end of the stream', false)
    .option('--again', 'start although a group has counted the check-ins: they count twice', false)
    .addOption(otlpOption())
    .action(async (flags: Flags) => {
      const telemetry = await openTelemetry({ url: flags.otlp, service: 'checkin-processor' })
      const log = wiring.openLog()
      telemetry?.tellTo(log)
      const millrace = await wiring.connect(log, telemetry?.tracing)
      try {
        const { drain, again } = flags
        const { model, config } = wiring
        const reading = { kind: 'single processor', name: model.readerName } as const
        await claimReading(millrace, { model, group: config.group, reading, again })
        await untilStopped(
          new SingleProcessor({ millrace, model, log, drain }),
          saysStopFailure(log),
        )
      } catch (error) {
        throw withRemedy(error, wiring.config.group)
      } finally {
        await millrace.close()
        await telemetry?.close()
      }
    })
}
