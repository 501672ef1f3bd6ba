/** What runs a command, once the front door is open. */
import { CommanderError } from 'commander'
import { MillraceError } from 'millrace'
import { callOf } from './called-by.ts'
import { checkSubcommand, loadCommand, overview } from './catalogue.ts'
import { refuseSwallowed } from './swallowed-flags.ts'
import { readConfig } from '../config.ts'
import { CommandError, UsageError } from '../errors.ts'
import { wire } from '../wiring.ts'

const version = '0.1.0'

/** Runs one command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
export async function run([name = '', ...args]: string[]): Promise<number> {
  try {
    const make = await loadCommand(name)
    if (make === undefined) {
      overview(version).parse(name === '' ? args : [name, ...args], { from: 'user' })
      return 0
    }
    const { env } = process
    const config = readConfig(env, process.stdout.isTTY)
    const call = callOf(name, env)
    const command = make(wire(config)).name(call.usage).version(version).exitOverride()
    refuseSwallowed(command, { call, args, env })
    checkSubcommand(command, args)
    await command.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

function report(error: unknown): number {
  // Commander has printed its own message, and help and version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\n`)
    return 2
  }
  const isExpected = error instanceof CommandError || error instanceof MillraceError
  const text = isExpected ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`error: ${text ?? 'unknown'}\n`)
  return 1
}
