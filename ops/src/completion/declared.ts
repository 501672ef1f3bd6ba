/** What can be typed behind a program, as commander has it declared: one list for all shells. */
import type { Command, Option } from 'commander'

export interface DeclaredFlag {
  /** `--stream`. */
  readonly flag: string
  readonly says: string
  readonly takesValue: boolean
  /** The only values that it takes; empty: any. */
  readonly values: readonly string[]
}

/** What can stand behind `millrace`, or behind `millrace groups`. */
export interface DeclaredCommand {
  /** Its words without the program: `groups create`; empty for the program itself. */
  readonly path: string
  readonly flags: readonly DeclaredFlag[]
  /** Subcommands, and values of arguments where there are only a few. */
  readonly words: readonly (readonly [word: string, says: string])[]
}

/** The command and all below it. Flags may also stand in front of a subcommand, so it has those of the ones above it. */
export function declaredIn(
  command: Command,
  path: string,
  above: readonly DeclaredFlag[] = [],
): DeclaredCommand[] {
  const help = command.createHelp()
  const own = help.visibleOptions(command).flatMap(flagOf)
  const flags = [...own, ...above.filter(({ flag }) => own.every((each) => each.flag !== flag))]
  const subcommands = help.visibleCommands(command).filter((each) => each.name() !== 'help')
  const values = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices)
  return [
    {
      path,
      flags,
      words: [
        ...subcommands.map(
          (each) => [each.name(), firstSentence(help.subcommandDescription(each))] as const,
        ),
        ...values.map((value) => [value, ''] as const),
      ],
    },
    ...subcommands.flatMap((each) => declaredIn(each, `${path} ${each.name()}`.trim(), flags)),
  ]
}

function flagOf(option: Option): DeclaredFlag[] {
  const { long, description, required, optional, argChoices = [] } = option
  if (!long) return []
  // A value that may be left out must stand behind "=", or the next word would be taken for it.
  const takesValue = required && !optional
  return [{ flag: long, says: firstSentence(description), takesValue, values: argChoices }]
}

/** So much fits beside a word in a list of a shell. */
const saysMax = 70

function firstSentence(text: string): string {
  const [first = ''] = text.split(/(?<=[.;])\s/)
  const bare = first.replace(/[.;]$/, '')
  return bare.length > saysMax ? `${bare.slice(0, saysMax - 1)}…` : bare
}

/** A word with what it is for, which may be empty. */
export type Offered = readonly (readonly [word: string, says: string])[]

/** What is offered behind what was typed. */
export interface Choices {
  /** Behind the words of a command: subcommands and arguments. */
  readonly words: readonly (readonly [typed: string, offered: Offered])[]
  /** Behind the words of a command, where a `-` is typed. */
  readonly flags: readonly (readonly [typed: string, offered: Offered])[]
  /** Behind a flag that takes a value: only those flags are in it, also where any value will do. */
  readonly values: readonly (readonly [typed: string, offered: Offered])[]
}

export const choicesOf = (commands: readonly DeclaredCommand[]): Choices => ({
  words: commands.map(({ path, words }) => [path, words]),
  flags: commands.map(({ path, flags }) => [path, flags.map(({ flag, says }) => [flag, says])]),
  values: commands.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map(
        ({ flag, values }) =>
          [`${path} ${flag}`.trim(), values.map((value) => [value, ''] as const)] as const,
      ),
  ),
})
