/** A chart as an SVG document, drawn by Observable Plot; readable by day and by night: the reader's browser chooses. */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Spread } from '../measure/statistics.ts'
import type { Bar, BarChart, Chart, Line, LineChart, Panel } from './chart.ts'
import { compact, whole } from './format.ts'

const width = 880
const headRoom = 78
// Texts cannot be measured here: so much is room for the widest letters on average.
const letterWidth = 7.3

const day = {
  ...{ back: '#ffffff', edge: '#d8dee6', ink: '#1c2430', faint: '#5f6b7a' },
  ...{ ours0: '#1d63d8', ours1: '#12a3a0', ours2: '#7a4fd0', floor: '#c9d2dc' },
  ...{ peer0: '#d97b16', peer1: '#8a95a3', peer2: '#c2417c', peer3: '#6f8f2f' },
}

const night: typeof day = {
  ...{ back: '#12171f', edge: '#2c3542', ink: '#e8edf4', faint: '#97a3b3' },
  ...{ ours0: '#5a9bff', ours1: '#2fd0c8', ours2: '#ab8bff', floor: '#3b4756' },
  ...{ peer0: '#f2a04a', peer1: '#9aa6b5', peer2: '#ef7fb0', peer3: '#a9c95f' },
}

type Colour = keyof typeof day

const lineColours = {
  ours: ['ours0', 'ours1', 'ours2'],
  peers: ['peer0', 'peer1', 'peer2', 'peer3'],
} as const satisfies Record<string, readonly Colour[]>

const barColours = { ours: 'ours0', peer: 'peer1', floor: 'floor' } as const

/** The colour of a line: by its place among ours or among the peers. */
export function lineColour({ isOurs, rank }: Pick<Line, 'isOurs' | 'rank'>): Colour {
  const colours = isOurs ? lineColours.ours : lineColours.peers
  return colours[rank % colours.length] ?? colours[0]
}

export function draw(chart: Chart): string {
  return chart.kind === 'bars' ? drawBars(chart) : drawLines(chart)
}

/** The fastest first; a thin line shows the range. */
function drawBars(chart: BarChart): string {
  const bars = [...chart.bars].sort((a, b) => b.value.median - a.value.median)
  const height = 24 + 30 * bars.length
  const letters = Math.max(...bars.map(({ label }) => label.length))
  const y = ({ label }: Bar): string => label
  const plot = plotOf({
    height,
    marginLeft: 28 + letterWidth * letters,
    marginRight: 100,
    x: { axis: null, domain: [0, Math.max(1, ...bars.map(({ value }) => value.max))] },
    y: { label: null, domain: bars.map(y), tickSize: 0, padding: 0.4 },
    marks: [
      Plot.barX(bars, {
        ...{ y, x: ({ value }: Bar) => value.median, rx2: 2.5 },
        fill: ({ kind }: Bar) => ink(barColours[kind]),
      }),
      Plot.ruleY(bars, {
        y,
        x1: ({ value }: Bar) => value.min,
        x2: ({ value }: Bar) => value.max,
        stroke: ink('faint'),
      }),
      Plot.text(bars, {
        ...{ y, x: ({ value }: Bar) => value.max, dx: 9, textAnchor: 'start' },
        text: ({ value }: Bar) => whole(value.median),
        fontWeight: 600,
      }),
    ],
  })
  const description = bars.map(({ label, value }) => `${label}: ${whole(value.median)}`).join('; ')
  return sheet(chart, height, description, [placed(plot, 0, headRoom)])
}

const panelWidth = (width - 36) / 2
const panelHeight = 250

/** Panels in two columns under one legend; whiskers show the range. */
function drawLines(chart: LineChart): string {
  const { panels } = chart
  const legend = legendOf(panels.flatMap(({ lines }) => lines))
  const top = headRoom + legend.height
  const height = legend.height + Math.ceil(panels.length / 2) * panelHeight
  const drawn = panels.flatMap((panel, at) => {
    const [x, y] = [18 + (at % 2) * panelWidth, top + Math.floor(at / 2) * panelHeight]
    const unit = `<text x="${x + panelWidth - 20}" y="${y + 12}" class="faint" text-anchor="end">${escaped(panel.unit)}</text>`
    return [text(x + 10, y + 12, 'head', panel.title), unit, placed(drawPanel(panel), x, y)]
  })
  const description = panels.map(({ title, unit }) => `${title} (${unit})`).join('; ')
  return sheet(chart, height, description, [...legend.drawn, ...drawn])
}

interface Point {
  readonly step: string
  readonly value: Spread
  readonly colour: string
  readonly label: string
}

function drawPanel({ lines, steps, isLogarithmic = false }: Panel): string {
  const points = lines.flatMap((line) =>
    line.values.flatMap((value, at): Point[] => {
      const step = steps[at]
      if (value === undefined || step === undefined) return []
      return [{ step, value, colour: ink(lineColour(line)), label: line.label }]
    }),
  )
  const greatest = Math.max(...points.map(({ value }) => value.max))
  const shared = { x: ({ step }: Point) => step, stroke: ({ colour }: Point) => colour }
  const median = ({ value }: Point): number => value.median
  return plotOf({
    width: panelWidth,
    height: panelHeight - 24,
    ...{ marginLeft: 54, marginTop: 34, marginBottom: 28 },
    x: { type: 'point', label: null, domain: steps, padding: 0.5, tickSize: 0 },
    y: {
      ...{ label: null, grid: true, tickSize: 0, tickFormat: tickLabel },
      ...(isLogarithmic ? decades(points) : { domain: [0, greatest], nice: true, ticks: 5 }),
    },
    marks: [
      Plot.lineY(points, { ...shared, y: median, z: 'label', strokeWidth: 2.2 }),
      Plot.ruleX(points, {
        ...shared,
        y1: ({ value }: Point) => value.min,
        y2: ({ value }: Point) => value.max,
      }),
      Plot.dot(points, { x: shared.x, y: median, fill: shared.stroke, r: 3.6 }),
    ],
  })
}

/** An axis by factors of ten, from the power below the least value to that above the greatest. */
function decades(points: readonly Point[]): Plot.ScaleOptions {
  const from = Math.floor(Math.log10(Math.min(...points.map(({ value }) => value.min))))
  const to = Math.max(
    from + 1,
    Math.ceil(Math.log10(Math.max(...points.map(({ value }) => value.max)))),
  )
  const ticks = Array.from({ length: to - from + 1 }, (_, at) => 10 ** (from + at))
  return { type: 'log', domain: [10 ** from, 10 ** to], ticks }
}

function legendOf(lines: readonly Line[]): { drawn: string[]; height: number } {
  const colours = new Map(lines.map((line) => [line.label, lineColour(line)]))
  let [x, y] = [28, headRoom + 8]
  const drawn = [...colours].flatMap(([label, colour]) => {
    const room = 44 + letterWidth * label.length
    if (x + room > width - 28 && x > 28) [x, y] = [28, y + 22]
    const mark = `<line x1="${x}" y1="${y}" x2="${x + 18}" y2="${y}" stroke="${ink(colour)}" stroke-width="3"/>`
    const drawn = [mark, text(x + 25, y + 4.5, '', label)]
    x += room
    return drawn
  })
  return { drawn, height: y - headRoom + 32 }
}

/** What Plot returns, as far as it matters: its types ask for those of a browser. */
interface Drawn {
  readonly outerHTML: string
  querySelector(selector: string): { remove(): void } | null
}

function plotOf(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>') as { document: unknown }
  const style = { background: 'none', color: 'inherit', fontSize: '12.5px' }
  const plot: unknown = Plot.plot({ width, style, ...options, document })
  const drawn = plot as Drawn
  // Its own style sheet is for pages that show it alone.
  drawn.querySelector('style')?.remove()
  return drawn.outerHTML
}

function placed(plot: string, x: number, y: number): string {
  return plot.replace('<svg', `<svg x="${x}" y="${y}"`)
}

function tickLabel(tick: number): string {
  return tick < 1 && tick > 0 ? String(Number(tick.toPrecision(1))) : compact(tick)
}

function ink(colour: Colour): string {
  return `var(--${colour})`
}

function text(x: number, y: number, look: string, content: string): string {
  return `<text x="${x}" y="${y}" class="${look}">${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** The whole document: background, heading, content. */
function sheet(
  { title, subtitle }: Chart,
  contentHeight: number,
  description: string,
  content: readonly string[],
): string {
  const height = headRoom + contentHeight + 12
  const box = `x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title><desc>${escaped(description)}</desc><style>${styles}</style>`,
    `<rect ${box} fill="var(--back)" stroke="var(--edge)"/>`,
    text(28, 40, 'title', title),
    text(28, 61, 'faint', subtitle),
    ...content,
    '</svg>\n',
  ].join('\n')
}

const colours = (palette: typeof day): string =>
  Object.entries(palette)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';')

const styles = [
  `svg{${colours(day)};color:var(--ink);font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:13px}`,
  `@media (prefers-color-scheme:dark){svg{${colours(night)}}}`,
  'text{fill:var(--ink)}.faint{fill:var(--faint);font-size:12px}.title{font-size:18px;font-weight:650}.head{font-weight:600}',
].join('')
