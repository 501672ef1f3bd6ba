/** Entry ids: `<milliseconds>-<sequence>`, each an unsigned 64-bit integer, so they are compared as text. */

/** Negative, 0 or positive, as for `sort`. */
export function compareIds(a: string, b: string): number {
  const dashA = a.indexOf('-')
  const dashB = b.indexOf('-')
  return (
    compareDigits(a.slice(0, dashA), b.slice(0, dashB)) ||
    compareDigits(a.slice(dashA + 1), b.slice(dashB + 1))
  )
}

/** The time of an entry in milliseconds, as text. */
export function timeOf(id: string): string {
  return id.slice(0, id.indexOf('-'))
}

// No server with streams is older: a smaller number was chosen by somebody, and is no time.
const firstClockMs = Date.UTC(2017, 0, 1)
const aheadMaxMs = 5000

/**
 * How old an entry is by its id, in milliseconds; `nowMs` is the server's clock. Null when the id tells no time: it was given
 * by hand, or is more than 5 s ahead of the clock.
 */
export function ageOf(id: string, nowMs: number): number | null {
  const ms = Number(timeOf(id))
  if (ms < firstClockMs || ms > nowMs + aheadMaxMs) return null
  return Math.max(0, Math.round(nowMs - ms))
}

// Without leading zeros the longer number is the larger one.
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}

const canonical = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/
const greatest = '18446744073709551615'

/** True for an entry id as the server writes it: both parts are there, without leading zeros, and fit into 64 bits. */
export function isEntryId(text: string): boolean {
  // Without types a list with one id could pass, and go on as a list.
  if (typeof (text as unknown) !== 'string') return false
  const [, time = '', sequence = ''] = canonical.exec(text) ?? []
  return time !== '' && compareDigits(time, greatest) <= 0 && compareDigits(sequence, greatest) <= 0
}
