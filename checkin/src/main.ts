/** The front door of the service: `main.ts COMMAND ...`, as the npm scripts of the root call it. */
import { Command, CommanderError } from 'commander'
import { MillraceError } from 'millrace'
import { readConfig } from './config.ts'
import { CommandError, UsageError } from './errors.ts'
import { endWithParent } from './start/end-with-parent.ts'
import { wire, type Wiring } from './wiring.ts'

const commands: Record<string, () => Promise<{ command: (wiring: Wiring) => Command }>> = {
  start: () => import('./cli/start.ts'),
  redis: () => import('./cli/redis.ts'),
  load: () => import('./cli/load.ts'),
  reindex: () => import('./cli/reindex.ts'),
  checkinreceiver: () => import('./cli/checkinreceiver.ts'),
  'api-keys': () => import('./cli/api-keys.ts'),
  checkinprocessor: () => import('./cli/checkinprocessor.ts'),
  checkingroupprocessor: () => import('./cli/checkingroupprocessor.ts'),
  checkingenerator: () => import('./cli/checkingenerator.ts'),
  groups: () => import('./cli/groups.ts'),
  trim: () => import('./cli/trim.ts'),
  consumers: () => import('./cli/consumers.ts'),
  doctor: () => import('./cli/doctor.ts'),
  recover: () => import('./cli/recover.ts'),
  'dead-letters': () => import('./cli/dead-letters.ts'),
}

const version = '0.1.0'
endWithParent()
process.exitCode = await run(process.argv.slice(2))

/** Runs one command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
async function run([name = '', ...args]: string[]): Promise<number> {
  try {
    const load = Object.hasOwn(commands, name) ? commands[name] : undefined
    if (load === undefined) {
      throw new UsageError(
        `Cannot run command "${name}": there are ${Object.keys(commands).join(', ')}`,
      )
    }
    const config = readConfig(process.env, process.stdout.isTTY)
    const command = (await load()).command(wire(config))
    command.name(`npm run ${name} --`).version(version).exitOverride()
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
