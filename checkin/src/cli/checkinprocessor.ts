import { Command } from 'commander'
import { claimReading } from '../processors/claim-reading.ts'
import { measured, type Measured } from '../processors/measured.ts'
import { SingleProcessor } from '../processors/single-processor.ts'
import { openTelemetry } from '../telemetry/telemetry.ts'
import type { Wiring } from '../wiring.ts'
import { untilStopped } from 'millrace-ops/stop'
import { addMetricsFlags, saysStopFailure, type MetricsFlags } from 'millrace-ops/command'
import { otlpOption } from './options/otlp-option.ts'
import { withRemedy } from '../operated/remedies.ts'

interface Flags extends MetricsFlags {
  readonly drain: boolean
  readonly again: boolean
  readonly otlp?: string
}

export function command(wiring: Wiring): Command {
  const processor = new Command()
    .description(
      'the single processor: reads the stream of check-ins alone, from a stored position',
    )
    .option('--drain', 'end at the end of the stream', false)
    .option('--again', 'start although a group has counted the check-ins: they count twice', false)
  processor.addOption(otlpOption())
  return addMetricsFlags(processor).action((flags: Flags) => run(wiring, flags))
}

async function run(wiring: Wiring, flags: Flags): Promise<void> {
  const telemetry = await openTelemetry({ url: flags.otlp, service: 'checkin-processor' })
  const log = wiring.openLog()
  telemetry?.tellTo(log)
  const millrace = await wiring.connect(log, telemetry?.tracing)
  const { model, config } = wiring
  let measuring: Measured | undefined
  try {
    const { drain, again } = flags
    const group = model.readerName
    measuring = await measured(flags, { millrace, log, stream: model.checkins.key, group })
    const reading = { kind: 'single processor', name: model.readerName } as const
    await claimReading(millrace, { model, group: config.group, reading, again })
    const metrics = measuring?.metrics
    const isForPrograms = config.logFormat === 'json'
    const processor = new SingleProcessor({ millrace, model, log, isForPrograms, drain, metrics })
    await untilStopped(processor, saysStopFailure(log))
  } catch (error) {
    throw withRemedy(error, wiring.config.group)
  } finally {
    await measuring?.close()
    await millrace.close()
    await telemetry?.close()
  }
}
