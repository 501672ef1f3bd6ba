/** Faults of server versions that concern the engine, the gravest first. Sources: docs/guarantees.md, "Versions". */
export interface KnownFault {
  readonly product: 'Redis' | 'Valkey'
  /** The first version that has it. */
  readonly from: string
  readonly repairedIn: string
  readonly why: string
}

const luaWhy = 'Who may run scripts can run code on the server (CVE-2025-49844).'

export const knownFaults: readonly KnownFault[] = [
  {
    product: 'Valkey',
    from: '0',
    repairedIn: '8.0.11',
    why:
      'After a torn append-only file the second restart may break exactly once (with aof-load-truncated yes); ' +
      'before 8.0.6 who may run scripts can run code on the server (CVE-2025-49844).',
  },
  // Redis 7.0 gets repairs from its distributions only, and its version number does not tell.
  { product: 'Redis', from: '7.2.0', repairedIn: '7.2.11', why: luaWhy },
  { product: 'Redis', from: '7.4.0', repairedIn: '7.4.6', why: luaWhy },
  { product: 'Redis', from: '8.0.0', repairedIn: '8.0.4', why: luaWhy },
  { product: 'Redis', from: '8.2.0', repairedIn: '8.2.2', why: luaWhy },
]

/** Compares versions like 8.0.11. */
export function isOlder(version: string, than: string): boolean {
  const [left, right] = [version, than].map((text) => text.split('.').map(Number))
  for (let at = 0; at < 3; at += 1) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
