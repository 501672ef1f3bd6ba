/** The script that appends many entries, those with an idempotency key once. */
import { exhausted, type MillraceError } from '../support/errors.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { scriptFailure } from './script-failure.ts'

const appendBatchScript = script('append-batch')

/**
 * What became of an entry.
 *
 * - `appended`: confirmed, under this id.
 * - `replayed`: its key was used for the same values before: the id is that of the entry appended then.
 * - `mismatch`: its key was used for other values. Not appended.
 * - `keys-full`: as many keys are remembered as may be. Not appended.
 * - `held-back`: all or nothing was asked for, and another entry is `mismatch` or `keys-full`. Not appended.
 */
export type AppendOutcome =
  | { readonly kind: 'appended' | 'replayed'; readonly id: string }
  | { readonly kind: 'mismatch' | 'keys-full' | 'held-back' }

/**
 * Appends entries in one call.
 * @returns what became of each, in the same order.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION, EXHAUSTED; SERVER_FULL: a full server refuses it whole.
 */
export async function appendBatch(
  connection: Sender,
  stream: string,
  what: {
    /** Names of the fields. */
    readonly names: readonly string[]
    /** For each entry its values, in the order of the names, then the fingerprint of its content; that is empty without a key. */
    readonly rows: readonly string[]
    /** Of the idempotency keys, in the order of the entries that have one. */
    readonly digests: readonly string[]
    /** All or nothing. */
    readonly isAtomic: boolean
    /** A replay is a write, too: a WAIT behind it then covers the entry that another connection has appended. */
    readonly rewrites: boolean
    /** How long a key is remembered, in milliseconds. */
    readonly rememberMs: number
    /** How many keys may be remembered. */
    readonly keysMax: number
  },
): Promise<AppendOutcome[]> {
  const { names, rows, digests, isAtomic, rewrites, rememberMs, keysMax } = what
  // Beside the stream, so in its cluster slot: the hash that counts the keys, and each key as a string below it.
  const once = `${stream}:once`
  const keys = [stream, once, ...digests.map((digest) => `${once}:${digest}`)]
  const flags = [isAtomic ? '1' : '0', rewrites ? '1' : '0']
  const bounds = [String(rememberMs), String(keysMax)]
  const args = [String(names.length), ...names, ...flags, ...bounds, ...rows]
  const reply = await runScript(connection, appendBatchScript, keys, args)
  const [outcomes] = checked(reply, (code) => appendFailure(code, stream, once))
  return String(outcomes).split(' ').map(outcomeOf)
}

function outcomeOf(code: string): AppendOutcome {
  switch (code.charAt(0)) {
    case 'r':
      return { kind: 'replayed', id: code.slice(1) }
    case 'm':
      return { kind: 'mismatch' }
    case 'f':
      return { kind: 'keys-full' }
    case 'h':
      return { kind: 'held-back' }
    default:
      return { kind: 'appended', id: code }
  }
}

function appendFailure(code: string, stream: string, once: string): MillraceError {
  if (code === 'exhausted') return exhausted(stream)
  const state = `it, or a key that begins with "${once}", is of another type`
  const wrongType = { state, remedy: 'Move that key away' }
  return scriptFailure(`Cannot append to stream "${stream}"`, code, wrongType)
}
