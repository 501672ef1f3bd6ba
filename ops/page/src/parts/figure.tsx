import type { ComponentChildren } from 'preact'
import { Spark, type SparkProps } from './spark.tsx'

export interface FigureProps {
  readonly label: string
  readonly value: string
  readonly unit?: string
  /** One line: what it means. */
  readonly meaning: ComponentChildren
  readonly points: SparkProps['points']
  readonly top: number
  readonly tone?: NonNullable<SparkProps['tone']>
}

/** A number with its meaning, and how it was in the last minutes. */
export function Figure({ label, value, unit, meaning, points, top, tone = 'accent' }: FigureProps) {
  return (
    <div class="fig">
      <dt>{label}</dt>
      <dd class="v">
        {value}
        {unit !== undefined && <small>{unit}</small>}
      </dd>
      <dd class="s">{meaning}</dd>
      <dd aria-hidden="true">
        <Spark points={points} top={top} width={180} height={22} tone={tone} />
      </dd>
    </div>
  )
}
