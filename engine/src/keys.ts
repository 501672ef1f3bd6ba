/** The keys that the engine derives for a group. All begin with the stream's key, so they share its cluster slot. */
export interface GroupKeys {
  /** The stream itself. */
  readonly stream: string
  /** Stream: entries that could not be processed. */
  readonly deadLetters: string
  /** Sorted set: name of a consumer to the end of its lease (ms, the server's clock). */
  readonly leases: string
  /** Hash: name of a consumer to who holds its lease (JSON). */
  readonly holders: string
  /** Hash: counters that must balance, and how far the group has got (`lua/ledger.lua`). */
  readonly ledger: string
}

/** Consumers that only park entries until a sweep claims them: what a removed consumer left, and what is redriven. */
export const parkingNames = ['unassigned', 'redrive'] as const

/** The keys of a group (or of a reader without a group, by its name). */
export function groupKeys(stream: string, name: string): GroupKeys {
  const of = (what: string): string => `${stream}:${name}:${what}`
  return {
    stream,
    deadLetters: of('dead'),
    leases: of('leases'),
    holders: of('holders'),
    ledger: of('ledger'),
  }
}

/** Hash: what was trimmed from a stream, whoever reads it. */
export function streamLedger(stream: string): string {
  return `${stream}:ledger`
}
