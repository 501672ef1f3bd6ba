/**
 * By what definition a group, or a reader without one, folds its entries. Promise: values of two definitions are never
 * mixed in the same hashes without a word: the first one that starts notes its digest in the ledger, and whoever starts
 * with another one is refused before its first effect.
 */
import { createHash } from 'node:crypto'
import { isPassing, MillraceError } from '../support/errors.ts'
import type { GroupKeys } from '../redis/keys.ts'
import { persist } from '../support/persist.ts'
import type { Plan } from '../declare/plan.ts'
import type { Connection } from '../redis/connection.ts'
import { define } from '../scripts/group.ts'

/**
 * A digest of what decides which value stands where: keys, fields and operators with what they read, in any order. Not the
 * rankings, which follow from the hashes and can be built anew at any time, nor what a field of the stream allows.
 */
export function definitionOf(plans: readonly Plan[]): string {
  const canonical = JSON.stringify(plans.map(folds).sort())
  return createHash('sha256').update(canonical).digest('hex').slice(0, 32)
}

/** One projection, the same text however it was written down. */
function folds({ key, columns }: Plan): string {
  const fields = columns.flatMap(({ definition }) => definition.map((one) => JSON.stringify(one)))
  const parts = key.parts.map(({ name, isText }) => [name, isText])
  return JSON.stringify([key.literals, parts, fields.sort()])
}

/**
 * What the ledger notes about these plans: hashes were folded by `these`, or by `others`; `unknown` when it notes nothing.
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function foldedBy(
  connection: Pick<Connection, 'send'>,
  { ledger }: Pick<GroupKeys, 'ledger'>,
  plans: readonly Plan[],
): Promise<'these' | 'others' | 'unknown'> {
  const held = await connection.send(['HGET', ledger, 'definition'])
  if (held === null) return 'unknown'
  return held === definitionOf(plans) ? 'these' : 'others'
}

/** Who folds by what. */
export interface Folds {
  readonly group: string
  readonly plans: readonly Plan[]
  /** Stops waiting for a server that does not answer; then nothing is checked, and nothing may be folded. */
  readonly signal: AbortSignal
}

/**
 * Notes the definition in the ledger unless one stands there.
 * @throws {MillraceError} PROJECTION_CHANGED when it is another one; WRONG_TYPE, AUTHENTICATION.
 */
export async function holdTo(
  connection: Connection,
  keys: Pick<GroupKeys, 'stream' | 'ledger'>,
  { group, plans, signal }: Folds,
): Promise<void> {
  // Without projections nothing is folded.
  if (plans.length === 0) return
  const ours = definitionOf(plans)
  const ask = (): Promise<string> => define(connection, keys, { group, digest: ours })
  const held = await persist(signal, ask).catch((error: unknown) => {
    if (!(signal.aborted && isPassing(error))) throw error
  })
  if (held === undefined || held === ours) return
  throw new MillraceError('PROJECTION_CHANGED', {
    action: `Cannot process entries of stream "${keys.stream}" for "${group}"`,
    state: 'its hashes were folded by other projections, and values of both would be mixed',
    remedy:
      'Use a group of another name, and projections with another beginning of their keys, to fold the stream anew',
  })
}
