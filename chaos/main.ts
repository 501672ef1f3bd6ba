/** The front door: `npm run chaos -- --seed N --minutes M`. Exit codes: 0 ok, 1 violation or void, 2 wrong usage. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { thisCheckout } from '../testing/processes.ts'
import { serverKinds, serverKindsWanted, type ServerKind } from '../testing/redis-servers.ts'
import { seedOfRun } from '../testing/seeded-random.ts'
import { callOf } from '../ops/src/command/called-by.ts'
import { refuseSwallowed } from '../ops/src/command/swallowed-flags.ts'
import { UsageError } from '../ops/src/command/errors.ts'
import { controls } from './controls.ts'
import { renderRun } from './report.ts'
import { run } from './run.ts'
import { renderControls, runControl, type ControlResult } from './run-control.ts'

interface Flags {
  readonly seed: number
  readonly minutes: number
  readonly server?: ServerKind
  readonly control?: string
}

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const isGood: boolean[] = []
  const command = new Command('npm run chaos --')
    .description(
      'Lets faults strike a server, consumers and operators, mixed, and checks every entry.',
    )
    .option(
      '--seed <n>',
      'repeats the choice of faults (default: MILLRACE_SEED or the time)',
      whole,
      seedOfRun,
    )
    .option('--minutes <n>', 'how long; every kind of fault strikes at least once', minutes, 1)
    .addOption(
      new Option('--server <kind>', 'default: each that is here').choices(serverKindsWanted),
    )
    .addOption(
      new Option('--control <name>', 'runs with a known defect, which has to be caught').choices([
        'all',
        ...controls.map(({ name }) => name),
      ]),
    )
    .exitOverride()
    .action(async (flags: Flags) => {
      for (const server of flags.server === undefined ? serverKinds() : [flags.server]) {
        if (flags.control === undefined) isGood.push(await mixed(flags, server))
        else isGood.push(await controlled(flags.control, { ...flags, server }))
      }
    })
  try {
    refuseSwallowed(command, {
      call: callOf('chaos', 'chaos', process.env),
      args,
      env: process.env,
    })
    await command.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof UsageError)) throw error
    console.error(`error: ${error.message}`)
    return 2
  }
  return isGood.every(Boolean) ? 0 : 1
}

async function mixed({ seed, minutes }: Flags, server: ServerKind): Promise<boolean> {
  // The sources: nobody has built before this.
  const root = thisCheckout
  const result = await run({ seed, minutes, server, root, say: (line) => console.error(line) })
  console.log(`${renderRun(result)}\n`)
  return result.verdict === 'ok'
}

async function controlled(
  name: string,
  options: { readonly seed: number; readonly server: ServerKind },
): Promise<boolean> {
  const results: ControlResult[] = []
  for (const control of controls.filter((each) => name === 'all' || each.name === name)) {
    results.push(await runControl(control, options))
  }
  console.log(`${options.server}, seed ${options.seed}\n\n${renderControls(results)}\n`)
  return results.every(({ isCaught }) => isCaught)
}

function whole(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('It is an integer from 0 to 999999999.')
}

function minutes(value: string): number {
  const number = Number(value)
  if (value !== '' && number >= 0 && number <= 10_000) return number
  throw new InvalidArgumentError('It is a number of minutes from 0 to 10000.')
}
