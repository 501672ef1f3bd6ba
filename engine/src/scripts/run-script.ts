/** How a Lua script is put together of files in `lua/`, and how it runs: by its digest, in full when the server lacks it. */
import { createHash } from 'node:crypto'
import { MillraceError } from '../support/errors.ts'
import { missingRight } from './script-failure.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { asList } from '../redis/replies.ts'
import { luaText } from './lua-parts.ts'

/** What a script is sent by. */
export type Sender = Pick<Connection, 'send'>

/** A script's text and digest. */
export interface Script {
  readonly text: string
  readonly digest: string
}

/** Texts that are compiled from a declaration, by the names that files include: `plans` for `-- @include compiled/plans`. */
export type Compiled = Readonly<Record<string, string>>

/**
 * The script of `lua/<name>.lua`, behind all that it includes.
 * @param compiled what it includes as `compiled/<name>`
 * @throws {Error} when something that is included is not there
 */
export function script(name: string, compiled: Compiled = {}): Script {
  return composed(luaText(name), compiled)
}

/**
 * Puts a script together. Its first line says what the server may expect of it. `#!lua flags=allow-oom`: it runs on a full server, and
 * no write of it is refused for want of memory, so none can fail halfway either. `#!lua`: a full server refuses it before its first
 * command. `no-writes`: it also runs on a replica, and on a server that cannot write. The lines `-- @include` name what stands in front
 * of it, each thing once, in their order, behind what that includes itself.
 */
export function composed(source: string, compiled: Compiled = {}): Script {
  const [, flags = '', body = source] = /^(#!lua.*\n)([^]*)$/.exec(source) ?? []
  const text = flags + partsOf(body, compiled, new Set()).join('\n')
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}

const includeLine = /^-- @include (\S+)\n/gm

/** The texts of what a text includes and is not there yet, then the text itself. */
function partsOf(text: string, compiled: Compiled, there: Set<string>): string[] {
  const names = [...text.matchAll(includeLine)].map(([, name = '']) => name)
  const included = names.flatMap((name) => {
    if (there.has(name)) return []
    there.add(name)
    const [folder, made = ''] = name.split('/')
    if (folder !== 'compiled') return partsOf(luaText(name), compiled, there)
    const found = compiled[made]
    if (found === undefined) throw new Error(`Cannot make a script: "${name}" was not compiled`)
    return [found]
  })
  return [...included, text.replaceAll(includeLine, '')]
}

/** Runs a script. KEYS and ARGV are stated in the header of its file. @throws {MillraceError} */
export async function runScript(
  connection: Sender,
  script: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<Reply[]> {
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return asList(await connection.send(['EVALSHA', script.digest, ...rest]))
  } catch (error) {
    if (!(error instanceof MillraceError) || !error.message.startsWith('NOSCRIPT')) {
      throw named(error, script, keys)
    }
  }
  try {
    return asList(await connection.send(['EVAL', script.text, ...rest]))
  } catch (error) {
    throw named(error, script, keys)
  }
}

/** A right that is missing for a command amid a script: Redis 7.0 tells the line, not the command. */
function named(error: unknown, { text }: Script, [key = '']: readonly string[]): unknown {
  if (!(error instanceof MillraceError) || error.code !== 'AUTHENTICATION') return error
  const line = /@user_script:(\d+)/.exec(error.message)?.[1]
  const source = line === undefined ? '' : text.split('\n')[Number(line) - 1]
  const [, command, sub = ''] =
    /redis\.p?call\('([A-Z]+)'(?:, '([A-Z]+)')?/.exec(source ?? '') ?? []
  if (command === undefined) return error
  const name = /^X(?:INFO|GROUP)$/.test(command) ? `${command} ${sub}` : command
  return missingRight(`Cannot run a script on "${key}"`, name, error)
}

/** A reply, unless it is the error code of a script. @param failure makes the error for the code */
export function checked(reply: Reply[], failure: (code: string) => MillraceError): Reply[] {
  if (reply[0] === 'error') throw failure(String(reply[1]))
  return reply
}
