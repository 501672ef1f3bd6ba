/** Numbers as the tables show them. */
import type { Spread } from '../measure/statistics.ts'

/** `12,346` */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A number format with so many decimals. */
export function decimals(count: number): (value: number) => string {
  return (value) => value.toFixed(count)
}

/** Few digits for a value of any size: `0.42`, `4.2`, `42`, `4,200`. */
export function short(value: number): string {
  if (value === 0) return '0'
  if (Math.abs(value) < 1) return value.toFixed(2)
  return Math.abs(value) < 20 ? value.toFixed(1) : whole(value)
}

/** `1,000`, `10k`, `5M`: for axes and cells of round numbers. */
export function compact(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toFixed(1))}M`
  return value >= 1e4 ? `${Number((value / 1e3).toFixed(1))}k` : whole(value)
}

/** The median alone; `-` when it was not measured. */
export function median(spread: Spread | undefined, show: (value: number) => string): string {
  return spread === undefined || Number.isNaN(spread.median) ? '-' : show(spread.median)
}

/** `median (least-most)`. */
export function withRange(spread: Spread | undefined, show: (value: number) => string): string {
  if (spread === undefined || Number.isNaN(spread.median)) return '-'
  const { min, max } = spread
  return min === max ? show(spread.median) : `${show(spread.median)} (${show(min)}-${show(max)})`
}
