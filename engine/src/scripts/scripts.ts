/** The Lua scripts: made of the files in `lua/`, sent by their digest, and in full when the server does not know them yet. */
import { createHash } from 'node:crypto'
import { MillraceError } from '../support/errors.ts'
import { missingRight } from './script-failure.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import { part } from './lua-parts.ts'

/** A script's text and digest. */
export interface Script {
  readonly text: string
  readonly digest: string
}

/**
 * What the server may expect of a script. `draining`: it runs on a full server, and no write of it is refused for want of
 * memory, so none can fail halfway either. `filling`: a full server refuses it before its first command. `reading`: it
 * also runs on a replica, and on a server that cannot write.
 */
const headers = {
  draining: '#!lua flags=allow-oom\n',
  filling: '#!lua\n',
  reading: '#!lua flags=no-writes,allow-oom\n',
} as const

/** A script made of parts, some of which may have been compiled. */
export function script(parts: readonly string[], kind: keyof typeof headers = 'draining'): Script {
  const text = headers[kind] + parts.join('\n')
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}

/** A script made of files in `lua/`, behind the checks. */
function load(...names: readonly string[]): Script {
  return script(['checks', ...names].map(part))
}

function loadReading(...names: readonly string[]): Script {
  return script(['checks', ...names].map(part), 'reading')
}

export const scripts: Readonly<
  Record<
    | 'acceptLoss'
    | 'appendBatch'
    | 'balance'
    | 'claim'
    | 'countRange'
    | 'createGroup'
    | 'define'
    | 'entryState'
    | 'examine'
    | 'findDeadLetter'
    | 'lease'
    | 'pause'
    | 'purge'
    | 'rank'
    | 'rankingPage'
    | 'readRange'
    | 'recoverGroup'
    | 'recoverUnknown'
    | 'redrive'
    | 'removeConsumer'
    | 'removeEmpty'
    | 'repairLag'
    | 'retry'
    | 'setIdle'
    | 'sweep'
    | 'takeDue'
    | 'trim'
    | 'undelivered',
    Script
  >
> = {
  acceptLoss: load('accept-loss'),
  appendBatch: script(['checks', 'append-batch'].map(part), 'filling'),
  balance: loadReading('read-in-steps', 'balance'),
  claim: load('ledger', 'dead-letters', 'read-in-steps', 'claim'),
  countRange: loadReading('read-in-steps', 'count-range'),
  createGroup: load('create-group'),
  define: load('define'),
  entryState: loadReading('entry-state'),
  examine: loadReading('ledger', 'read-in-steps', 'recovery', 'examine'),
  findDeadLetter: loadReading('read-in-steps', 'find-dead-letter'),
  lease: load('lease'),
  pause: load('pause'),
  purge: load('purge'),
  rank: load('rank'),
  rankingPage: loadReading('ranking-page'),
  readRange: loadReading('read-in-steps', 'read-range'),
  recoverGroup: load('ledger', 'read-in-steps', 'recovery', 'recover-group'),
  recoverUnknown: load('ledger', 'dead-letters', 'read-in-steps', 'recovery', 'recover-unknown'),
  redrive: load('ledger', 'redrive'),
  removeConsumer: load('ledger', 'dead-letters', 'remove-consumer'),
  removeEmpty: load('remove-empty'),
  repairLag: load('read-in-steps', 'repair-lag'),
  retry: load('retry'),
  setIdle: load('read-in-steps', 'set-idle'),
  sweep: load('ledger', 'pending-snapshot', 'retry-schedule', 'sweep'),
  takeDue: load('ledger', 'dead-letters', 'read-in-steps', 'retry-schedule', 'take-due'),
  trim: load('read-in-steps', 'trim'),
  undelivered: loadReading('read-in-steps', 'undelivered'),
}

/** Runs a script. KEYS and ARGV are stated in the header of its file. @throws {MillraceError} */
export async function runScript(
  connection: Pick<Connection, 'send'>,
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

/** A reply that is a list. @throws {MillraceError} REFUSED when it is not, as no server of ours answers. */
export function asList(reply: Reply): Reply[] {
  if (Array.isArray(reply)) return reply
  throw new MillraceError('REFUSED', `Unexpected reply from Redis: ${typeof reply}, not a list`)
}
