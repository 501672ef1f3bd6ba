import { Command } from 'commander'
import { SingleProcessor } from '../processors/single-processor.ts'
import type { Wiring } from '../wiring.ts'
import { untilStopped, withRemedy } from './stop-signals.ts'

export function command(wiring: Wiring): Command {
  return new Command()
    .description(
      'the single processor: reads the stream of check-ins alone, from a stored position',
    )
    .option('--drain', 'end at the end of the stream', false)
    .action(async (flags: { readonly drain: boolean }) => {
      const log = wiring.openLog()
      const millrace = await wiring.connect(log)
      try {
        const { drain } = flags
        await untilStopped(new SingleProcessor({ millrace, model: wiring.model, log, drain }), log)
      } catch (error) {
        throw withRemedy(error)
      } finally {
        await millrace.close()
      }
    })
}
