/** How numbers, times and names of others are written on a terminal. */

/** A time span in its largest unit of use: `4 ms`, `12.4 s`, `3 min`, `37 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  return `${written(Math.floor(ms / 3_600_000))} h`
}

/** A count as people read it: `1,234`. */
export const written = (count: number): string => count.toLocaleString('en-US')

/**
 * A count with what is counted: `1 check-in`, `1,234 check-ins`.
 * @param one what stands behind a 1 @param many behind all others, default with an s
 */
export const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${written(count)} ${count === 1 ? one : many}`

/** Names and texts that others chose: what is no plain text must not reach the terminal. */
export function printable(text: string): string {
  return /^[^\p{C}\p{Z}]+$/u.test(text) ? text : quoted(text)
}

/** Plain sentences stay as they are; the backslash and what a terminal might act on become their code points. */
export function escaped(text: string): string {
  return text.replaceAll(
    /(?! )[\p{C}\p{Z}\\]/gu,
    (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

/** Of a text in which names are escaped already: what a terminal might act on becomes its code points, and the backslash stays. */
export function escapedControls(text: string): string {
  return text.replaceAll(/(?! )[\p{C}\p{Z}]/gu, (sign) => escaped(sign))
}

/** With one full stop at its end: texts of others may bring their own, or end with a question. */
export const sentence = (text: string): string => (/[.?!]$/.test(text) ? text : `${text}.`)

/** In quotes, and escaped. */
export function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\u0022')}"`
}

/** Colour only where a person looks. */
export const isColour = (): boolean => process.stdout.isTTY && process.env.NO_COLOR === undefined
