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

// Without leading zeros the longer number is the larger one.
function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : a > b ? 1 : 0
}
