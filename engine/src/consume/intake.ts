/** Takes delivered entries in flight and decodes them: what cannot be processed is settled as a dead letter at once. */
import type { Settled } from '../apply/settled.ts'
import type { Fields } from '../declare/fields.ts'
import type { InFlight } from '../apply/in-flight.ts'
import { isDecodeFailure, type Decoder, type Entry } from '../declare/stream.ts'
import type { SettledLetter } from './consumer-events.ts'
import type { RawEntry } from '../redis/replies.ts'

/** Entries that were not in flight before. `isRedelivery`: they were delivered before. */
export function takeIn<F extends Fields>(
  raw: readonly RawEntry[],
  {
    inFlight,
    decoder,
    isRedelivery,
  }: { inFlight: InFlight; decoder: Decoder<F>; isRedelivery: boolean },
): { readonly entries: Entry<F>[]; readonly settled: Settled[] } {
  const entries: Entry<F>[] = []
  const settled: Settled[] = []
  for (const { id, flat, bytes } of raw) {
    // History and claims show entries in flight again.
    if (!inFlight.take(id, bytes)) continue
    if (flat === null) {
      settled.push({ kind: 'dead-letter', ...lostLetter(id), isRedelivery })
      continue
    }
    const decoded = decoder.decode(id, flat)
    if (isDecodeFailure(decoded)) {
      const error = decoded.problem
      settled.push({ kind: 'dead-letter', id, reason: 'undecodable', error, isRedelivery })
    } else {
      entries.push(decoded)
    }
  }
  return { entries, settled }
}

/** The dead letter of an entry whose body is gone. */
export function lostLetter(id: string): SettledLetter {
  return { id, reason: 'lost', error: 'the entry was trimmed or deleted before it was processed' }
}

/** The dead letter of an entry that was delivered before. */
export function redelivered(letter: SettledLetter): Settled {
  return { kind: 'dead-letter', ...letter, isRedelivery: true }
}
