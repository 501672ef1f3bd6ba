/** What the doctor finds that only this service knows of. */
import type { Millrace } from 'millrace'
import type { Examined, Finding } from 'millrace-ops'
import { countOf, printable, written } from 'millrace-ops/terminal'
import type { CheckinModel } from '../domain/checkins.ts'
import { otherReadings } from '../processors/readings.ts'

/** @throws {MillraceError} WRONG_TYPE, and those of the connection. */
export async function findingsOf(
  millrace: Millrace,
  model: CheckinModel,
  group: Examined,
): Promise<(Finding | undefined)[]> {
  return await Promise.all([folded(millrace, model, group), twice(millrace, model, group)])
}

async function folded(
  millrace: Millrace,
  { checkins, users, locations }: CheckinModel,
  { name }: Examined,
): Promise<Finding | undefined> {
  const foldedBy = await millrace.group(checkins, name).foldedBy([users, locations])
  if (foldedBy !== 'others') return undefined
  return {
    check: 'projections-changed',
    severity: 'problem',
    what: `Group ${name} has folded check-ins of ${checkins.key} by other projections than those of this version.`,
    why: 'Processors of this version refuse to start (PROJECTION_CHANGED): values of both would be mixed in the same hashes.',
    remedy:
      'Go on with the processors of the version that has folded them. Or let this version begin anew with another KEY_PREFIX: stream and hashes of its own.',
  }
}

async function twice(
  millrace: Millrace,
  model: CheckinModel,
  { name, hasStream, balance }: Examined,
): Promise<Finding | undefined> {
  const { applied = 0 } = balance ?? {}
  if (!hasStream || applied === 0) return undefined
  const others = await otherReadings(millrace, model, { kind: 'group', name })
  if (others.length === 0) return undefined
  const counted = others.map(
    (one) => `${one.kind} ${printable(one.name)} (${written(one.applied)})`,
  )
  return {
    check: 'two-readings',
    severity: 'problem',
    what: `Besides group ${name} (${countOf(applied, 'check-in')}) the stream was also processed by ${counted.join(', ')}.`,
    why: 'Each counts every check-in in the same hashes: they count twice.',
    remedy:
      'Stop all but one, and restore a backup of all keys from before. (Sample data can be loaded again.)',
  }
}
