/** Which dead letters a command means, from its flags. */
import { InvalidArgumentError } from 'commander'
import type { DeadLetterSelection } from 'millrace/operate'
import { UsageError } from '../command/errors.ts'
import { printable, written } from '../terminal/words.ts'

export interface SelectionFlags {
  readonly all?: boolean
  readonly reason?: string
  readonly olderThan?: number
}

/** @throws {UsageError} when nothing is chosen, or ids together with flags. */
export function selectionOf(
  command: string,
  ids: readonly string[],
  { all, reason, olderThan }: SelectionFlags,
): DeadLetterSelection {
  const isFiltered = all === true || reason !== undefined || olderThan !== undefined
  if (isFiltered && ids.length > 0) {
    throw new UsageError(`Cannot ${command} ids together with flags that choose: use one of both`)
  }
  if (!isFiltered && ids.length === 0) {
    throw new UsageError(`Cannot ${command} nothing: name ids, or --all, or a --reason`)
  }
  if (ids.length > 0) return { ids: ids.map(checkedId) }
  return {
    all: true,
    ...(reason !== undefined && { reason }),
    ...(olderThan !== undefined && { olderThanMs: olderThan }),
  }
}

/** What the flags choose, in words and in brackets; empty when they choose all. */
export function filterInWords(selection: DeadLetterSelection): string {
  if ('ids' in selection) return ''
  const { reason, olderThanMs } = selection
  const parts = [
    ...(reason === undefined ? [] : [`reason ${printable(reason)}`]),
    ...(olderThanMs === undefined ? [] : [`${written(olderThanMs / 1000)} s or older`]),
  ]
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}

export const isId = (text: string): boolean => /^\d{1,20}-\d{1,20}$/.test(text)

/** An id of a dead letter or an entry. @throws {UsageError} */
export function checkedId(text: string): string {
  if (isId(text)) return text
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} as an id: it is like 1740790744731-0, of a dead letter or of its entry`,
  )
}

/** An age like `90s`, `10m`, `12h`, `7d`, in milliseconds. */
export function age(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Allowed is an age like 90s, 10m, 12h or 7d.')
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[
    match[2] as 's' | 'm' | 'h' | 'd'
  ]
  return Number(match[1]) * unit
}
