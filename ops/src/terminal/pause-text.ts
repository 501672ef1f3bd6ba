import type { Pause } from 'millrace/operate'
import { printable } from './words.ts'

/** Since when and by whom: `since 2026-11-28T21:51:06Z by ada@host-a (process 4121)`. */
export function pauseText({ since, by }: Pause): string {
  const at = new Date(since)
  const when = Number.isNaN(at.getTime()) ? '' : `since ${at.toISOString().replace(/\.\d+Z$/, 'Z')}`
  if (by === null) return when
  const user = by.user === '' ? '' : `${printable(by.user)}@`
  return `${when} by ${user}${printable(by.host)} (process ${by.pid})`.trim()
}
