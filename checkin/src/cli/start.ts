import { Command, Option } from 'commander'
import { Service } from '../start/service.ts'
import { StopRequested } from 'millrace-ops/stop'
import type { Wiring } from '../wiring.ts'
import { ratePerSecond } from 'millrace-ops/command'
import { stopOfForeground } from './foreground.ts'

/** `npm start`: the whole service in one terminal. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description(
      'Runs Redis, receiver, two group processors and a generator of check-ins, until Ctrl-C.',
    )
    .addOption(
      new Option('--rate <number>', 'check-ins a second that the generator posts')
        .argParser(ratePerSecond)
        .default(50),
    )
    .action(async ({ rate }: { rate: number }) => {
      const show = (line: string): void => void process.stdout.write(`${line}\n`)
      const say = (line: string): void => void process.stderr.write(`${line}\n`)
      const stop = stopOfForeground(say)
      stop.addEventListener('abort', () => say('Stopping ...'))
      try {
        await new Service({ wiring, rate, stop, show, say }).run()
      } catch (error) {
        if (!(error instanceof StopRequested)) throw error
        say('Stopped.')
      }
    })
}
