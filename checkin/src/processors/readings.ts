/**
 * A stream is read in one way: by one group, or by the single processor. Each reading counts every check-in in the same
 * hashes, so a second one would count all of them twice.
 */
import { MillraceError, type Millrace } from 'millrace'
import { groupKeys, isName, readerKeys } from 'millrace/operate'
import { takeStream } from 'millrace-ops/snapshot'
import type { CheckinModel } from '../domain/checkins.ts'

/** Who reads a stream. */
export interface Reading {
  readonly kind: 'group' | 'single processor'
  readonly name: string
}

export interface CountedReading extends Reading {
  /** Check-ins that it has counted. */
  readonly applied: number
}

/**
 * The readings that have counted check-ins, but for one's own.
 * @param groups looked at even if they do not exist any more
 */
export async function otherReadings(
  millrace: Millrace,
  model: CheckinModel,
  own: Reading,
  groups: readonly string[] = [],
): Promise<CountedReading[]> {
  const { key } = model.checkins
  const names = new Set([...groups, ...(await groupNames(millrace, model))])
  const all = [
    ...[...names].map((name) => ({ name, kind: 'group' as const, keys: groupKeys(key, name) })),
    {
      name: model.readerName,
      kind: 'single processor' as const,
      keys: readerKeys(key, model.readerName),
    },
  ]
  const read = await Promise.all(
    all
      .filter(({ kind, name }) => kind !== own.kind || name !== own.name)
      .map(async ({ name, kind, keys }) => {
        const applied = await millrace.send('HGET', keys.ledger, 'applied')
        return { name, kind, applied: Number(applied ?? 0) }
      }),
  )
  return read.filter(({ applied }) => applied > 0)
}

async function groupNames(millrace: Millrace, { checkins }: CheckinModel): Promise<string[]> {
  try {
    return (await takeStream(millrace, checkins.key)).groups.map(({ name }) => name).filter(isName)
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'NO_STREAM') return []
    throw error
  }
}
