import type { Spread } from '../../measure/statistics.ts'
import type { Line, LineChart, Panel } from '../chart.ts'
import { compact } from '../format.ts'
import { linearAxis, logarithmicAxis, type Axis } from './axis.ts'
import { element, text } from './element.ts'
import { contentTop, fill, lineColours, sheet, stroke, width } from './theme.ts'

type LineColour = (typeof lineColours)[keyof typeof lineColours][number]
type Look = ReadonlyMap<string, LineColour>

const margin = 28
const gap = 36
const panelWidth = (width - 2 * margin - gap) / 2
const panel = { height: 250, axisRoom: 46, headRoom: 40, stepRoom: 30 }
const legendHeight = 26

/** Panels in two columns under one legend; whiskers show the range. */
export function drawLines({ title, subtitle, panels }: LineChart): string {
  const lines = panels.flatMap((one) => one.lines)
  const look = coloursOf(lines)
  const legend = drawLegend(look, contentTop + 8)
  const top = contentTop + legend.height
  const height = top + Math.ceil(panels.length / 2) * panel.height + 16
  const description = panels.map((one) => `${one.title} (${one.unit})`).join('; ')
  const drawn = panels.flatMap((one, index) =>
    drawPanel(one, look, {
      left: margin + (index % 2) * (panelWidth + gap),
      top: top + Math.floor(index / 2) * panel.height,
    }),
  )
  return sheet({ title, subtitle, height, description }, [...legend.drawn, ...drawn])
}

function coloursOf(lines: readonly Line[]): Look {
  return new Map(
    lines.map(({ label, isOurs, rank }) => {
      const colours = isOurs ? lineColours.ours : lineColours.peers
      return [label, colours[rank % colours.length]!]
    }),
  )
}

function drawLegend(look: Look, top: number): { drawn: string[]; height: number } {
  let x = margin
  let y = top
  const drawn = [...look].flatMap(([label, colour]) => {
    // Texts cannot be measured here: so many pixels a letter on average, and room between.
    const room = 26 + label.length * (isOurs(colour) ? 7.9 : 6.9) + 18
    if (x + room > width - margin && x > margin) {
      x = margin
      y += 22
    }
    const at = x
    x += room
    const line = { x1: at, y1: y, x2: at + 18, y2: y, class: stroke(colour), 'stroke-width': 3 }
    return [
      element('line', { ...line, ...dashOf(colour) }),
      text(at + 25, y + 4.5, isOurs(colour) ? 'strong' : 'plain', label),
    ]
  })
  return { drawn, height: y - top + legendHeight + 14 }
}

function drawPanel(one: Panel, look: Look, { left, top }: { left: number; top: number }): string[] {
  const right = left + panelWidth
  const ends = [top + panel.height - panel.stepRoom, top + panel.headRoom] as const
  const axis = axisOf(one, ends)
  const plotLeft = left + panel.axisRoom
  const stepWidth = (right - plotLeft) / one.steps.length
  const xOf = (index: number): number => plotLeft + (index + 0.5) * stepWidth
  const grid = axis.ticks.flatMap((tick) => {
    const y = axis.yOf(tick)
    const line = { x1: plotLeft, y1: y, x2: right, y2: y, class: stroke('grid') }
    const label = text(plotLeft - 8, y + 4, 'small number', tickLabel(tick), {
      'text-anchor': 'end',
    })
    return [element('line', line), label]
  })
  const steps = one.steps.map((step, index) =>
    text(xOf(index), ends[0] + 19, 'small', step, { 'text-anchor': 'middle' }),
  )
  return [
    text(left, top + 18, 'head', one.title),
    text(right, top + 18, 'small', one.unit, { 'text-anchor': 'end' }),
    ...grid,
    ...steps,
    ...one.lines.flatMap((line, index) =>
      // A little aside of each other, so that whiskers do not hide one another.
      drawLine(
        line,
        look.get(line.label) ?? 'peer2',
        axis,
        (step) => xOf(step) + (index - one.lines.length / 2) * 3,
      ),
    ),
  ]
}

function drawLine(
  { values }: Line,
  colour: LineColour,
  axis: Axis,
  xOf: (step: number) => number,
): string[] {
  const points = values.flatMap((value, step) =>
    value === undefined ? [] : [{ x: xOf(step), y: axis.yOf(value.median), value }],
  )
  const path = points.map(
    ({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`,
  )
  return [
    element('path', {
      d: path.join(''),
      class: stroke(colour),
      'stroke-width': isOurs(colour) ? 2.5 : 2,
      'stroke-linejoin': 'round',
      ...dashOf(colour),
    }),
    ...points.map(({ x, value }) => {
      const range = { x1: x, y1: axis.yOf(value.min), x2: x, y2: axis.yOf(value.max) }
      return element('line', { ...range, class: stroke(colour), 'stroke-width': 1.2, opacity: 0.7 })
    }),
    ...points.map(({ x, y }) => element('circle', { cx: x, cy: y, r: 3.6, class: fill(colour) })),
  ]
}

function axisOf({ lines, isLogarithmic = false }: Panel, ends: readonly [number, number]): Axis {
  const values = lines.flatMap((line) =>
    line.values.filter((value): value is Spread => value !== undefined),
  )
  const greatest = Math.max(...values.map(({ max }) => max))
  if (!isLogarithmic) return linearAxis(greatest, ends)
  return logarithmicAxis([Math.min(...values.map(({ min }) => min)), greatest], ends)
}

function isOurs(colour: LineColour): boolean {
  return colour.startsWith('ours')
}

function dashOf(colour: LineColour): Record<string, string> {
  return isOurs(colour) ? {} : { 'stroke-dasharray': '5 3' }
}

function tickLabel(tick: number): string {
  return tick < 1 && tick > 0 ? String(Number(tick.toPrecision(1))) : compact(tick)
}
