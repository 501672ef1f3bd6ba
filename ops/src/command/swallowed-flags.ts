/**
 * npm takes flags that stand before `--` for itself: `npm run trim --dry-run` runs `trim` without any. What it took it
 * leaves in the environment of the script.
 */
import type { Command, Option } from 'commander'
import { nearest } from 'millrace/operate'
import { UsageError } from './errors.ts'
import type { Call } from './called-by.ts'
import { typedSettings } from './npm-settings.ts'

/** `npx --yes` is meant for npx. */
const flagsOfExec = ['yes']
/** Settings of npm's own that an option of ours is the beginning of: npm completes it. */
const completed: Readonly<Record<string, string>> = { replace: 'replace-registry-host' }
/** Settings of npm's own whose names are near to an option of ours. */
const nearOfNpm = ['access', 'allow-git', 'call', 'location', 'otp', 'scopes']

/** What npm took. */
interface Taken {
  /** As it was typed. */
  readonly flag: string
  /** Ours that it is, or may be; undefined when there is none so near. */
  readonly option: Option | undefined
  readonly value: string
}

/**
 * @param args that arrived at the command
 * @throws {UsageError} when npm took a flag that was meant for the command or for one of its subcommands.
 */
export function refuseSwallowed(
  command: Command,
  { call, args, env }: { call: Call; args: readonly string[]; env: NodeJS.ProcessEnv },
): void {
  if (call.npm === undefined) return
  const options = optionsOf(command)
  const taken = [...typedSettings(env)].flatMap(([name, value]): Taken[] => {
    if (call.npm === 'exec' && flagsOfExec.includes(name)) return []
    const one = takenFlag(name, value, options)
    return one === undefined || hasArrived(one, args) ? [] : [one]
  })
  if (taken.length === 0) return
  const flags = taken.map(({ flag }) => flag)
  throw new UsageError(
    `Cannot run this: npm took ${flags.join(' and ')} for itself, so the command would do something else. ` +
      remedy(call, args, taken),
  )
}

/** Those of a command and of its subcommands. */
function optionsOf(command: Command): Option[] {
  const all = [command, ...command.commands].flatMap(({ options }) => options)
  return [...new Map(all.map((option) => [nameOf(option), option])).values()]
}

const nameOf = ({ long, short }: Option): string => (long ?? short ?? '').replace(/^-+/, '')

/** The setting of npm that an option becomes. It knows `--no-docs` as `docs` without a value. */
function settingOf(option: Option): string {
  const name = nameOf(option)
  return option.negate ? name.replace(/^no-/, '') : (completed[name] ?? name)
}

function takenFlag(name: string, value: string, options: readonly Option[]): Taken | undefined {
  const isOurs = (option: Option) => settingOf(option) === name && option.negate === (value === '')
  const option = options.find(isOurs)
  if (option !== undefined) return { flag: `--${nameOf(option)}`, option, value }
  // npm reads `-n`, which stands for a dry run elsewhere, as `--no-yes`.
  if (name === 'yes' && value === '') return { flag: '-n', option, value }
  if (value === '' || nearOfNpm.includes(name)) return undefined
  const like = nearest(name, options.map(nameOf))
  const near = options.find((each) => nameOf(each) === like)
  return near === undefined ? undefined : { flag: `--${name}`, option: near, value }
}

function hasArrived({ flag, option }: Taken, args: readonly string[]): boolean {
  const typed = option === undefined ? flag : `--${nameOf(option)}`
  return args.some((argument) => argument === typed || argument.startsWith(`${typed}=`))
}

function remedy({ usage, npm }: Call, args: readonly string[], taken: readonly Taken[]): string {
  const rest = [...args]
  const flags = taken.map(({ flag, option, value }) => {
    if (option === undefined) return flag
    const name = `--${nameOf(option)}`
    // To the setting that npm completed `--replace` to, the flag behind it was a value.
    if (!option.required && !option.optional)
      return value.startsWith('--') ? `${name} ${value}` : name
    // npm takes a value only after "="; after a space it leaves it behind, among the arguments.
    if (value !== 'true') return `${name} ${value}`
    const left = taken.length === 1 ? rest.pop() : undefined
    return left === undefined ? option.flags : `${name} ${left}`
  })
  if (npm === 'exec') {
    return `Put "--" before the command: npm exec -- ${[usage, ...rest, ...flags].join(' ')}`
  }
  const called = usage.replace(/ --$/, '')
  const unknown = taken.find(({ option }) => option === undefined)
  // There is no such flag behind "--" either.
  if (unknown !== undefined) return `For the flags that there are: ${called} -- --help`
  return `Put "--" before the flags: ${[called, ...rest, '--', ...flags].join(' ')}`
}
