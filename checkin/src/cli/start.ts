import { Command, Option } from 'commander'
import { Service } from '../start/service.ts'
import { StopRequested } from 'millrace-ops/stop'
import type { Wiring } from '../wiring.ts'
import { addMetricsFlags, type MetricsFlags, ratePerSecond } from 'millrace-ops/command'
import { stopOfForeground } from './foreground.ts'

interface Flags extends MetricsFlags {
  readonly rate: number
}

/** `npm start`: the whole service in one terminal. */
export function command(wiring: Wiring): Command {
  const start = new Command()
    .description(
      'Runs Redis, receiver, two group processors and a generator of check-ins, until Ctrl-C.',
    )
    .addOption(
      new Option('--rate <number>', 'check-ins a second that the generator posts')
        .argParser(ratePerSecond)
        .default(50),
    )
  return addMetricsFlags(
    start,
    'receiver, processors and generator serve /metrics, /livez and /readyz on this port and the three behind it',
  ).action(async ({ rate, metricsPort, metricsHost }: Flags) => {
    const show = (line: string): void => void process.stdout.write(`${line}\n`)
    const say = (line: string): void => void process.stderr.write(`${line}\n`)
    const stop = stopOfForeground(say)
    stop.addEventListener('abort', () => say('Stopping ...'))
    try {
      const metrics = { metricsHost, ...(metricsPort !== undefined && { metricsPort }) }
      await new Service({ ...metrics, wiring, rate, stop, show, say }).run()
    } catch (error) {
      if (!(error instanceof StopRequested)) throw error
      say('Stopped.')
    }
  })
}
