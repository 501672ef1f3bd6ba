/** What npm leaves of its settings in the environment of a script, as `npm_config_dry_run=true`: those that somebody typed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** By their names as npm knows them, with "-"; a flag without a value is `true`, one with `--no-` is empty. */
export function typedSettings(env: NodeJS.ProcessEnv): ReadonlyMap<string, string> {
  const files = textsOfFiles(env)
  const typed = new Map<string, string>()
  for (const [key, value] of Object.entries(env)) {
    const name = /^npm_config_(.+)$/.exec(key)?.[1]?.replaceAll('_', '-')
    if (name === undefined || value === undefined) continue
    if (!files.some((text) => isSetBy(text, name, value))) typed.set(name, value)
  }
  return typed
}

/** npm's own files, where people keep settings like `json` or `yes`: nobody typed those. */
function textsOfFiles(env: NodeJS.ProcessEnv): string[] {
  const { npm_config_userconfig: user, npm_config_globalconfig: global } = env
  const project = join(env.npm_config_local_prefix ?? '.', '.npmrc')
  return [user, global, project].map((file) => (file === undefined ? '' : textOf(file)))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Most of these files do not exist, and one that npm can read and we cannot says nothing to us.
    return ''
  }
}

function isSetBy(text: string, name: string, value: string): boolean {
  const line = new RegExp(`^\\s*${pattern(name)}\\s*(?:=\\s*(.*?)\\s*)?$`, 'm').exec(text)
  if (line === null) return false
  // Somebody who keeps `yes=false` there, and then types `--yes`, has typed it. What npm makes of other values is npm's.
  const opposite = { true: 'false', '': 'true' }[value]
  return opposite === undefined || opposite !== (line[1] ?? 'true')
}

const pattern = (name: string): string => name.replaceAll(/[^\w-]/g, '\\$&').replaceAll('-', '[-_]')
