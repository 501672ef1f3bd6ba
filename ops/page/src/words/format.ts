/** How the page writes numbers, time spans and moments. */

/** `12,345`; `—` for what does not apply or is not known. */
export const count = (value: number | null): string =>
  value === null ? '—' : value.toLocaleString('en-US')

/** `1 entry`, `1,234 entries`. */
export const countOf = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`

/** `0 s`, `6 ms`, `0.4 s`, `41.2 s`, `2 min`, `3 h`, `2 d`; `—` for what does not apply. */
export function span(ms: number | null): string {
  if (ms === null) return '—'
  const whole = Math.max(0, ms)
  if (whole === 0) return '0 s'
  if (whole < 100) return `${String(Math.ceil(whole))} ms`
  if (whole < 60_000) return `${(Math.floor(whole / 100) / 10).toFixed(1)} s`
  if (whole < 3_600_000) return `${String(Math.floor(whole / 60_000))} min`
  if (whole < 48 * 3_600_000) return `${String(Math.floor(whole / 3_600_000))} h`
  return `${count(Math.floor(whole / 86_400_000))} d`
}

/** `421`, `3.2`, `0`; `—` when it is not known. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return '—'
  if (perSecond === 0) return '0'
  return perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))
}

export type Clock = 'utc' | 'local'

const two = (value: number): string => String(value).padStart(2, '0')

/** `14:32:07 UTC`, or `15:32:07 +01:00`. */
export function timeOfDay(ms: number, clock: Clock, { isZoned = true } = {}): string {
  const { date, zone } = shifted(ms, clock)
  const text = date.toISOString().slice(11, 19)
  return isZoned ? `${text} ${zone}` : text
}

/** `2026-11-28 14:32:07.300 UTC`. Empty for what is no time. */
export function moment(ms: number, clock: Clock): string {
  if (!isTime(ms)) return ''
  const { date, zone } = shifted(ms, clock)
  return `${date.toISOString().slice(0, 23).replace('T', ' ')} ${zone}`
}

/** For the attribute of `<time>`. */
export const isoOf = (ms: number): string => (isTime(ms) ? new Date(ms).toISOString() : '')

const isTime = (ms: number): boolean => Number.isFinite(ms) && ms > 0 && ms < 8.64e15 - 1e9

function shifted(ms: number, clock: Clock): { date: Date; zone: string } {
  if (clock === 'utc') return { date: new Date(ms), zone: 'UTC' }
  const minutes = -new Date(ms).getTimezoneOffset()
  const sign = minutes < 0 ? '-' : '+'
  const size = Math.abs(minutes)
  const zone = `${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`
  return { date: new Date(ms + minutes * 60_000), zone }
}

/** The time that an id tells, in milliseconds; null when it tells none that can be one. */
export function timeOfId(id: string): number | null {
  const ms = Number(/^(\d+)-\d+$/.exec(id)?.[1] ?? NaN)
  // Ids below are numbers that somebody chose.
  return isTime(ms) && ms > 1e11 ? ms : null
}

/** `now`, `40.4 s ago`. */
export const ago = (ms: number): string => (ms < 1000 ? 'now' : `${span(ms)} ago`)

/** Bytes as `1.4 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${String(size)} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = size / 1000
  let at = 0
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000
    at += 1
  }
  return `${value < 10 ? value.toFixed(1) : String(Math.round(value))} ${units[at] ?? ''}`
}
