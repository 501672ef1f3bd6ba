/** What becomes of the entries that were read: those that can be decoded are applied, the others are dead letters. */
import type { Settled } from '../apply/settled.ts'
import type { Fields } from '../declare/fields.ts'
import { isDecodeFailure, type Decoder, type Entry } from '../declare/stream.ts'
import { pairsOf, type RawEntry } from '../redis/replies.ts'

export function decodedBy<F extends Fields>(decoder: Decoder<F>, { id, flat }: RawEntry): Settled {
  const decoded = decoder.decode(id, flat ?? [])
  if (!isDecodeFailure(decoded)) return { kind: 'apply', id, entry: decoded }
  const carried = pairsOf(flat ?? [])
  return { kind: 'dead-letter', id, reason: 'undecodable', error: decoded.problem, carried }
}

/** The entries of a batch that are no dead letters. */
export function appliedOf<F extends Fields>(settled: readonly Settled[]): Entry<F>[] {
  return settled.flatMap((item) => (item.kind === 'apply' ? [item.entry as Entry<F>] : []))
}
