/** The Lua scripts: read from `lua/`, sent by their digest, and in full when the server does not know them yet. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { MillraceError } from '../errors.ts'
import type { Connection, Reply } from './connection.ts'

/** A script's text and digest. */
export interface Script {
  readonly text: string
  readonly digest: string
}

// `allow-oom`: these scripts drain the server, so they must run on a full one. With the flag no write of theirs is
// refused for want of memory, so none can fail halfway either.
const writing = '#!lua flags=allow-oom\n'
// `no-writes`: runs on a replica, too, and while the server cannot write to its disk.
const reading = '#!lua flags=no-writes\n'

const load = (...names: readonly string[]): Script => scriptOf(writing, names)
const loadReading = (...names: readonly string[]): Script => scriptOf(reading, names)

function scriptOf(header: string, names: readonly string[]): Script {
  // The same relative path from src/redis/ and dist/redis/.
  const read = (name: string): string =>
    readFileSync(new URL(`../../lua/${name}.lua`, import.meta.url), 'utf8')
  const text = header + names.map(read).join('\n')
  return { text, digest: createHash('sha1').update(text).digest('hex') }
}

export const scripts: Readonly<
  Record<
    | 'acknowledgeAndApply'
    | 'advanceAndApply'
    | 'balance'
    | 'claim'
    | 'countRange'
    | 'createGroup'
    | 'examine'
    | 'lease'
    | 'purge'
    | 'recoverGroup'
    | 'recoverUnknown'
    | 'removeConsumer'
    | 'removeEmpty'
    | 'redrive'
    | 'retry'
    | 'setIdle'
    | 'sweep'
    | 'takeDue'
    | 'trim',
    Script
  >
> = {
  acknowledgeAndApply: load('checks', 'ledger', 'effects', 'dead-letters', 'acknowledge-and-apply'),
  advanceAndApply: load('checks', 'ledger', 'effects', 'dead-letters', 'advance-and-apply'),
  balance: loadReading('checks', 'balance'),
  claim: load('checks', 'ledger', 'dead-letters', 'claim'),
  countRange: loadReading('checks', 'count-range'),
  createGroup: load('checks', 'create-group'),
  examine: loadReading('checks', 'ledger', 'recovery', 'examine'),
  lease: load('checks', 'lease'),
  purge: load('checks', 'purge'),
  recoverGroup: load('checks', 'ledger', 'recovery', 'recover-group'),
  recoverUnknown: load('checks', 'ledger', 'dead-letters', 'recovery', 'recover-unknown'),
  removeConsumer: load('checks', 'ledger', 'dead-letters', 'remove-consumer'),
  redrive: load('checks', 'ledger', 'redrive'),
  removeEmpty: load('checks', 'remove-empty'),
  retry: load('checks', 'retry'),
  setIdle: load('checks', 'set-idle'),
  sweep: load('checks', 'ledger', 'pending-snapshot', 'sweep'),
  takeDue: load('checks', 'ledger', 'dead-letters', 'take-due'),
  trim: load('checks', 'trim'),
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
    if (!(error instanceof MillraceError) || !error.message.startsWith('NOSCRIPT')) throw error
    return asList(await connection.send(['EVAL', script.text, ...rest]))
  }
}

/** A reply that is a list. @throws {MillraceError} REFUSED when it is not, as no server of ours answers. */
export function asList(reply: Reply): Reply[] {
  if (Array.isArray(reply)) return reply
  throw new MillraceError('REFUSED', `Unexpected reply from Redis: ${typeof reply}, not a list`)
}
