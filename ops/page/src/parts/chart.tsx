/** A chart of the last minutes, with its legend, a sentence that says what it shows, and the same as a table. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { useClock } from '../reader/settings.ts'
import { timeOfDay } from '../words/format.ts'
import type { Plot } from './plot.ts'

export interface Line {
  readonly label: string
  readonly tone: 'accent' | 'neutral' | 'warn'
  readonly isDashed?: boolean
  readonly isFilled?: boolean
}

export interface ChartProps {
  readonly title: string
  readonly lines: readonly Line[]
  /** Seconds since 1970, then the values of each line; null where there are none. */
  readonly data: readonly (readonly (number | null)[])[]
  /** The least value at the top. */
  readonly top: number
  readonly sentence: string
  readonly write: (value: number | null) => string
}

export function Chart(props: ChartProps) {
  const { title, lines, sentence } = props
  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span class="legend">
          {lines.map((line) => (
            <span key={line.label}>
              <Dash line={line} />
              {line.label}
            </span>
          ))}
        </span>
      </figcaption>
      <PlotBox {...props} />
      <p class="sum">{sentence}</p>
      <DataTable {...props} />
    </figure>
  )
}

const tones = { accent: 'ln', neutral: 'ln ln-2', warn: 'ln ln-warn' }

function Dash({ line }: { line: Line }) {
  return (
    <svg width="16" height="6" viewBox="0 0 16 6" aria-hidden="true">
      <path class={tones[line.tone]} d="M0 3H16" />
    </svg>
  )
}

/** Arrow keys read single points. */
function PlotBox({ title, lines, data, top, sentence, write }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | undefined>(undefined)
  const [at, setAt] = useState<number>()
  const clock = useClock()
  useEffect(() => {
    let isGone = false
    void import('./plot.ts').then(({ drawPlot }) => {
      if (!isGone && box.current !== null)
        plot.current = drawPlot(box.current, { lines, data, top, clock })
    })
    return () => {
      isGone = true
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [clock, lines])
  useEffect(() => plot.current?.show(data, top), [data])
  const times = data[0] ?? []
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step === undefined || times.length === 0) return
    event.preventDefault()
    const next = Math.min(times.length - 1, Math.max(0, (at ?? times.length - 1) + step))
    setAt(next)
    plot.current?.point(next)
  }
  const read = at === undefined ? '' : pointText({ lines, data, at, write, clock })
  return (
    <div
      class="plotbox"
      role="img"
      tabIndex={0}
      aria-label={`${title}. ${sentence} Arrow keys read single points.`}
      onKeyDown={onKeyDown}
    >
      <div class="canvas" ref={box} aria-hidden="true" />
      <p class="reading" aria-live="polite">
        {read}
      </p>
    </div>
  )
}

function pointText({
  lines,
  data,
  at,
  write,
  clock,
}: Pick<ChartProps, 'lines' | 'data' | 'write'> & {
  at: number
  clock: Parameters<typeof timeOfDay>[1]
}): string {
  const seconds = data[0]?.[at] ?? 0
  const values = lines.map(({ label }, line) => `${label} ${write(data[line + 1]?.[at] ?? null)}`)
  return `${timeOfDay(seconds * 1000, clock)}: ${values.join(', ')}`
}

const tableRows = 20

/** Twenty of the moments, evenly: for whoever cannot see the lines. */
function DataTable({ title, lines, data, write }: ChartProps) {
  const clock = useClock()
  const [isOpen, setOpen] = useState(false)
  const times = data[0] ?? []
  const step = Math.max(1, Math.ceil(times.length / tableRows))
  const picked = isOpen
    ? times.flatMap((_, at) => ((times.length - 1 - at) % step === 0 ? [at] : []))
    : []
  return (
    <details class="data" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      <table aria-label={title}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {lines.map(({ label }) => (
              <th key={label} scope="col" class="n">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {picked.toReversed().map((at) => (
            <tr key={at}>
              <td>{timeOfDay((times[at] ?? 0) * 1000, clock)}</td>
              {lines.map(({ label }, line) => (
                <td key={label} class="n">
                  {write(data[line + 1]?.[at] ?? null)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}
