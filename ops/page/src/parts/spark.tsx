/** A line without axes: it begins at 0, and its top is at least the given one, so that small changes stay small. */
export interface SparkProps {
  readonly points: readonly (readonly [atMs: number, value: number | null])[]
  /** The least value at the top. */
  readonly top: number
  readonly width: number
  readonly height: number
  readonly tone?: 'accent' | 'neutral' | 'warn' | 'bad'
}

const minutes = 5
const tones = { accent: '', neutral: 'ln-n', warn: 'ln-warn', bad: 'ln-bad' }

export function Spark({ points, top, width, height, tone = 'neutral' }: SparkProps) {
  return (
    <svg
      class="spark"
      width={width}
      height={height}
      viewBox={`0 0 ${String(width)} ${String(height)}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class={`ln ${tones[tone]}`} d={pathOf({ points, top, width, height })} />
    </svg>
  )
}

function pathOf({ points, top, width, height }: Omit<SparkProps, 'tone'>): string {
  const end = points.at(-1)?.[0] ?? 0
  const highest = Math.max(top, ...points.map(([, value]) => value ?? 0))
  let isBroken = true
  let path = ''
  for (const [atMs, value] of points) {
    if (value === null) {
      isBroken = true
      continue
    }
    const x = width * (1 - (end - atMs) / (minutes * 60_000))
    const y = height - 1 - (height - 2) * (value / highest)
    path += `${isBroken ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    isBroken = false
  }
  return path
}
