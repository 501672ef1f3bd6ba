/** Draws the lines of a chart with uPlot. Loaded when the first chart is shown. */
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { timeOfDay, type Clock } from '../words/format.ts'
import type { ChartProps, Line } from './chart.tsx'

export interface Plot {
  /** Draws other values. */
  show(data: ChartProps['data'], top: number): void
  /** Marks a moment by its place in the data. */
  point(at: number): void
  destroy(): void
}

export interface PlotOptions extends Pick<ChartProps, 'lines' | 'data' | 'top'> {
  readonly clock: Clock
}

const height = 152
const tones: Readonly<Record<Line['tone'], string>> = {
  accent: '--accent',
  neutral: '--text-3',
  warn: '--warn',
}

export function drawPlot(box: HTMLElement, options: PlotOptions): Plot {
  let top = options.top
  let plot = make()
  const size = (): { width: number; height: number } => ({ width: box.clientWidth, height })
  const resize = new ResizeObserver(() => plot.setSize(size()))
  resize.observe(box)
  // Colours are read once: another theme draws it anew.
  const redraw = (): void => {
    const { data } = plot
    plot.destroy()
    plot = make(data)
  }
  const dark = matchMedia('(prefers-color-scheme: dark)')
  dark.addEventListener('change', redraw)
  const themes = new MutationObserver(redraw)
  themes.observe(document.documentElement, { attributeFilter: ['data-theme'] })

  function make(data = options.data as UPlot.AlignedData): UPlot {
    const colour = colourIn(box)
    return new UPlot(
      {
        width: box.clientWidth,
        height,
        padding: [8, 2, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: {
          x: { range: (_, min, max) => [Math.min(min, max - 60), max] },
          y: {
            range: (_plot, _min, max) => [0, Math.max(top, (Number.isFinite(max) ? max : 0) * 1.1)],
          },
        },
        axes: axes(colour, options.clock),
        series: [{}, ...options.lines.map((line) => series(line, colour))],
      },
      data,
      box,
    )
  }

  return {
    show(data, newTop) {
      top = newTop
      plot.setData(data as UPlot.AlignedData)
    },
    point(at) {
      const seconds = plot.data[0][at]
      if (seconds !== undefined) plot.setCursor({ left: plot.valToPos(seconds, 'x'), top: 0 })
    },
    destroy() {
      resize.disconnect()
      themes.disconnect()
      dark.removeEventListener('change', redraw)
      plot.destroy()
    },
  }
}

type Colour = (token: string) => string

/** A token as the canvas takes it: what `light-dark()` comes to. */
function colourIn(box: HTMLElement): Colour {
  return (token) => {
    const probe = document.createElement('span')
    probe.style.color = `var(${token})`
    box.append(probe)
    const { color } = getComputedStyle(probe)
    probe.remove()
    return color
  }
}

function series({ tone, isDashed, isFilled }: Line, colour: Colour): UPlot.Series {
  const stroke = colour(tones[tone])
  return {
    stroke,
    width: 1.5,
    points: { show: false },
    ...(isDashed === true && { dash: [3, 2] }),
    ...(isFilled === true && { fill: stroke.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.08)') }),
  }
}

function axes(colour: Colour, clock: Clock): UPlot.Axis[] {
  const font = `12px ${getComputedStyle(document.body).fontFamily}`
  const both = {
    font,
    stroke: colour('--text-3'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return [
    {
      ...both,
      grid: { show: false },
      size: 22,
      space: 64,
      incrs: [60, 120],
      values: (_, times) =>
        times.map((seconds) => timeOfDay(seconds * 1000, clock, { isZoned: false }).slice(0, 5)),
    },
    {
      ...both,
      size: 44,
      space: 40,
      values: (_, values) => values.map((value) => value.toLocaleString('en-US')),
    },
  ]
}
