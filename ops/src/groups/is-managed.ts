import type { Group, Millrace } from 'millrace'
import { groupKeys } from 'millrace/operate'

/** Whether the engine has worked on a group: it has a ledger, or leases. Of another one only the server tells. */
export async function isManaged(
  millrace: Pick<Millrace, 'send'>,
  { stream, name }: Pick<Group, 'stream' | 'name'>,
): Promise<boolean> {
  const { ledger, leases } = groupKeys(stream.key, name)
  const [marks, names] = await Promise.all([
    millrace.send('EXISTS', ledger),
    millrace.send('ZRANGE', leases, '0', '-1'),
  ])
  // A pause leaves a mark there, too, and anybody can set one.
  const hasLease = Array.isArray(names) && names.some((name) => !String(name).startsWith('@'))
  return Number(marks) > 0 || hasLease
}
