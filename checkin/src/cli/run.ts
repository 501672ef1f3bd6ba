/** What runs a command, once the front door is open. */
import { callOf } from './called-by.ts'
import { checkSubcommand, loadCommand, overview } from './catalogue.ts'
import { refuseSwallowed } from './swallowed-flags.ts'
import { tellFailure } from './tell-failure.ts'
import { readConfig } from '../config.ts'
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
    return tellFailure(error, args)
  }
}
