/** What runs a command, once the front door is open. */
import { run as runOf } from 'millrace-ops/command'
import { readConfig } from '../config.ts'
import { wire } from '../wiring.ts'
import { catalogue } from './catalogue.ts'

/** Runs one command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
export function run(args: readonly string[]): Promise<number> {
  const program = {
    name: 'checkin',
    version: '0.1.0',
    description: 'The check-in service: Redis Streams, processed by a consumer group.',
    helpHint: 'Help of a command: checkin <command> --help, or npm run <command> -- --help',
    catalogue,
    given: () => wire(readConfig(process.env, process.stdout.isTTY)),
  }
  return runOf(program, args)
}
