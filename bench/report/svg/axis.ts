/** A vertical axis: where a value lies, and which values are marked. */
export interface Axis {
  readonly yOf: (value: number) => number
  readonly ticks: readonly number[]
}

/** From 0 to a round number above the greatest value. */
export function linearAxis(greatest: number, [bottom, top]: readonly [number, number]): Axis {
  const step = roundStep(greatest / 4)
  const count = Math.max(1, Math.ceil(greatest / step))
  const end = step * count
  return {
    yOf: (value) => bottom - (value / end) * (bottom - top),
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  }
}

/** By factors of ten, from the power below the least value to that above the greatest. */
export function logarithmicAxis(
  [least, greatest]: readonly [number, number],
  [bottom, top]: readonly [number, number],
): Axis {
  const from = Math.floor(Math.log10(least))
  const to = Math.max(from + 1, Math.ceil(Math.log10(greatest)))
  return {
    yOf: (value) => bottom - ((Math.log10(value) - from) / (to - from)) * (bottom - top),
    ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)),
  }
}

/** 1, 2 or 5 times a power of ten, at least the value. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10)
}
