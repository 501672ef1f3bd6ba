/** Parsers of flags and arguments. Each throws what commander turns into a message and exit code 2. */
import { InvalidArgumentError } from 'commander'

/** A number of entries or requests: an integer within bounds. */
export function integerWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`Allowed is an integer from ${least} to ${most}.`)
  }
}

/** Requests a second, also fewer than one. */
export function ratePerSecond(text: string): number {
  const rate = Number(text)
  if (/^(?:\d+\.?\d*|\.\d+)$/.test(text) && rate >= 0.001 && rate <= rateMax) return rate
  throw new InvalidArgumentError(`Allowed is a number from 0.001 to ${rateMax}.`)
}

const rateMax = 100_000

/** A duration like `500ms`, `10s`, `2m`, `24h`, `7d`, in milliseconds. */
export function duration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text)
  if (match === null) {
    throw new InvalidArgumentError('Allowed is a time like 500ms, 10s, 2m, 24h or 7d.')
  }
  const unit = units[match[2] as keyof typeof units]
  return Math.round(Number(match[1]) * unit)
}

/** Reads a time between two bounds, in milliseconds. */
export function durationWithin(leastMs: number, mostMs: number): (text: string) => number {
  return (text) => {
    const ms = duration(text)
    if (ms >= leastMs && ms <= mostMs) return ms
    throw new InvalidArgumentError(`Allowed is a time from ${leastMs}ms to ${mostMs}ms.`)
  }
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A time between two bounds, in milliseconds. */
export interface Span {
  readonly leastMs: number
  readonly mostMs: number
}

/** What `--work` takes: a span, or `none`. */
export const work = (text: string): Span | 'none' => (text === 'none' ? text : span(text))

/** A span like `1s..5s`; a single time is both bounds. */
function span(text: string): Span {
  const [least = '', most = least, ...rest] = text.split('..')
  const value = { leastMs: duration(least), mostMs: duration(most) }
  if (rest.length > 0 || value.leastMs > value.mostMs) {
    throw new InvalidArgumentError(
      'Allowed is none, or a span like 1s..5s, the shorter time first.',
    )
  }
  return value
}

export function consumerName(text: string): string {
  return asArgument(() => name(text))
}

/** Names of groups and consumers: safe in keys, logs and URLs. */
const namePattern = /^[A-Za-z0-9._:-]{1,64}$/

/** A name of a group or a consumer. @throws {RangeError} saying what is allowed. */
export function name(text: string): string {
  if (namePattern.test(text)) return text
  throw new RangeError('1 to 64 letters, digits, ".", "_", ":" or "-"')
}

/** @throws {RangeError} saying what is allowed. */
export function port(text: string): number {
  const value = Number(text)
  if (/^\d{1,5}$/.test(text) && value <= 65535) return value
  throw new RangeError('a port from 0 to 65535 (0: any free one)')
}

export function portNumber(text: string): number {
  return asArgument(() => port(text))
}

function asArgument<Value>(parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InvalidArgumentError(`Allowed is ${error.message}.`)
  }
}
