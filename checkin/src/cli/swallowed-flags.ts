/**
 * npm takes flags that stand before `--` for itself: `npm run trim --dry-run` runs `trim` without any. What it took it
 * leaves in the environment of the script, as `npm_config_dry_run=true`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command, Option } from 'commander'
import { UsageError } from '../errors.ts'
import type { Call } from './called-by.ts'

/** `npx --yes` is meant for npx. */
const flagsOfExec = ['yes']

/**
 * @param args that arrived at the command
 * @throws {UsageError} when npm took a flag of the command or of one of its subcommands.
 */
export function refuseSwallowed(
  command: Command,
  { call, args, env }: { call: Call; args: readonly string[]; env: NodeJS.ProcessEnv },
): void {
  if (call.npm === undefined) return
  const taken = optionsOf(command).filter((option) => {
    const name = nameOf(option)
    if (!wasTaken(option, env) || hasArrived(name, args)) return false
    if (call.npm === 'exec' && flagsOfExec.includes(name)) return false
    return !isSetByFile(npmNameOf(option), env)
  })
  if (taken.length === 0) return
  const flags = taken.map((option) => `--${nameOf(option)}`)
  throw new UsageError(
    `Cannot run this: npm took ${flags.join(' and ')} for itself, so the command would do something else. ` +
      remedy(call, args, taken, env),
  )
}

/** Those of a command and of its subcommands. */
function optionsOf(command: Command): Option[] {
  const all = [command, ...command.commands].flatMap(({ options }) => options)
  return [...new Map(all.map((option) => [nameOf(option), option])).values()]
}

const nameOf = ({ long, short }: Option): string => (long ?? short ?? '').replace(/^-+/, '')

/** npm knows `--no-docs` as `docs` without a value. */
const npmNameOf = (option: Option): string =>
  option.negate ? nameOf(option).replace(/^no-/, '') : nameOf(option)

const valueOf = (option: Option, env: NodeJS.ProcessEnv): string | undefined =>
  env[`npm_config_${npmNameOf(option).replaceAll('-', '_')}`]

function wasTaken(option: Option, env: NodeJS.ProcessEnv): boolean {
  const value = valueOf(option, env)
  return option.negate ? value === '' : value !== undefined && value !== ''
}

const hasArrived = (name: string, args: readonly string[]): boolean =>
  args.some((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`))

/** Whether one of npm's own files sets it, as people do with `json` or `yes`: nobody typed it. */
function isSetByFile(name: string, env: NodeJS.ProcessEnv): boolean {
  const { npm_config_userconfig: user, npm_config_globalconfig: global } = env
  const project = join(env.npm_config_local_prefix ?? '.', '.npmrc')
  const line = new RegExp(`^\\s*${name.replaceAll('-', '[-_]')}\\s*(?:=|$)`, 'm')
  return [user, global, project].some((file) => file !== undefined && line.test(textOf(file)))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Most of these files do not exist, and one that npm can read and we cannot says nothing to us.
    return ''
  }
}

function remedy(
  { usage, npm }: Call,
  args: readonly string[],
  taken: readonly Option[],
  env: NodeJS.ProcessEnv,
): string {
  const rest = [...args]
  const flags = taken.map((option) => {
    const flag = `--${nameOf(option)}`
    if (!option.required && !option.optional) return flag
    const value = valueOf(option, env)
    // npm takes a value only after "="; after a space it leaves it behind, among the arguments.
    if (value !== 'true') return `${flag} ${value ?? ''}`
    const left = taken.length === 1 ? rest.pop() : undefined
    return left === undefined ? option.flags : `${flag} ${left}`
  })
  if (npm === 'exec') {
    return `Put "--" before the command: npm exec -- ${[usage, ...rest, ...flags].join(' ')}`
  }
  const called = [usage.replace(/ --$/, ''), ...rest]
  return `Put "--" before the flags: ${[...called, '--', ...flags].join(' ')}`
}
