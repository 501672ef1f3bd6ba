/** What runs a command of a program, once its front door is open. */
import { Command, CommanderError } from 'commander'
import { callOf } from './called-by.ts'

/** A command as the overview lists it. `Given` is what it is made with. */
export interface Listed<Given> {
  readonly name: string
  /** An older name, under which it is found, too. */
  readonly alias?: string
  readonly summary: string
  /** Exit code when it fails or is called wrongly, where 1 and 2 say something else; default 1 and 2. */
  readonly failureCode?: number
  readonly load: () => Promise<{ readonly command: (given: Given) => Command }>
}

/** Commands by purpose. */
export type Catalogue<Given> = Readonly<Record<string, readonly Listed<Given>[]>>

export interface Program<Given> {
  /** What it is called by: `millrace`. */
  readonly name: string
  readonly version: string
  readonly description: string
  /** How help of a command is asked for. */
  readonly helpHint: string
  readonly catalogue: Catalogue<Given>
  /** Made only for a command that there is. */
  readonly given: () => Given
}

/** Runs one command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
export async function run<Given>(
  program: Program<Given>,
  [name = '', ...args]: readonly string[],
): Promise<number> {
  const whole = withCompletion(program)
  const found = Object.values(whole.catalogue)
    .flat()
    .find((listed) => listed.name === name || listed.alias === name)
  try {
    if (found === undefined) {
      overview(whole).parse(name === '' ? args : [name, ...args], { from: 'user' })
      return 0
    }
    const { env } = process
    const { command: make } = await found.load()
    const call = callOf(name, program.name, env)
    const command = make(program.given()).name(call.usage).version(program.version).exitOverride()
    if (call.npm !== undefined) {
      const { refuseSwallowed } = await import('./swallowed-flags.ts')
      refuseSwallowed(command, { call, args, env })
    }
    checkSubcommand(command, args)
    await command.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    // Help and version are no failure, and should not wait for the engine to be loaded.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    const { tellFailure } = await import('./tell-failure.ts')
    const code = tellFailure(error, args)
    return found?.failureCode ?? code
  }
}

/** Every program can tell a shell what it takes. */
function withCompletion<Given>(program: Program<Given>): Program<Given> {
  const { catalogue, given } = program
  const makeAll = (): Promise<Command[]> =>
    Promise.all(
      [...Object.values(catalogue).flat(), completion].map(async ({ name, summary, load }) => {
        const { command } = await load()
        return command(given()).name(name).summary(summary)
      }),
    )
  const completion: Listed<Given> = {
    name: 'completion',
    summary: 'what bash, zsh or fish needs to complete commands and flags',
    load: async () => {
      const { completionCommand } = await import('../completion/completion.ts')
      return { command: () => completionCommand(program.name, makeAll) }
    },
  }
  return { ...program, catalogue: { ...catalogue, 'For your shell:': [completion] } }
}

/** The command that only knows the names of the others: for the overview, and for names that are none. */
function overview<Given>({
  name,
  version,
  description,
  helpHint,
  catalogue,
}: Program<Given>): Command {
  const all = new Command(name)
    .description(description)
    .usage('<command> [options]')
    .version(version)
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError(`All commands: ${name} --help`)
    .addHelpText('after', `\n${helpHint}`)
  for (const [purpose, commands] of Object.entries(catalogue)) {
    all.commandsGroup(purpose)
    for (const { name, alias, summary } of commands) {
      const listed = all.command(name).summary(summary)
      if (alias !== undefined) listed.alias(alias)
    }
  }
  return all
}

/**
 * Refuses a first word that is none of the subcommands, as commander does where a command has no work of its own.
 * @throws {CommanderError} when it has said so, with the name that may be meant.
 */
function checkSubcommand(command: Command, [word = '-']: readonly string[]): void {
  const names = command.commands.map((subcommand) => subcommand.name())
  if (names.length === 0 || word.startsWith('-') || ['help', ...names].includes(word)) return
  const known = new Command(command.name())
    .exitOverride()
    .showHelpAfterError(`There are ${names.join(', ')}`)
  for (const name of names) known.command(name)
  known.parse([word], { from: 'user' })
}
