import type { Bar, BarChart, Kind } from '../chart.ts'
import { whole } from '../format.ts'
import { element, text } from './element.ts'
import { contentTop, fill, sheet, stroke, width } from './theme.ts'

const row = { height: 30, bar: 17 }
const valueRoom = 88
const barsEnd = width - 28 - valueRoom
// Texts cannot be measured here: so much is room for the widest letters on average.
const letterWidth = 7.3

const colourOf = { ours: 'ours', peer: 'peer', floor: 'floor' } as const satisfies Record<
  Kind,
  string
>

interface Scale {
  readonly labelsEnd: number
  readonly xOf: (value: number) => number
}

/** The fastest first; a thin line shows the range. */
export function drawBars({ title, subtitle, bars }: BarChart): string {
  const sorted = [...bars].sort((a, b) => b.value.median - a.value.median)
  const greatest = Math.max(1, ...sorted.map(({ value }) => value.max))
  const labelsEnd = 28 + letterWidth * Math.max(...sorted.map(({ label }) => label.length))
  const barsStart = labelsEnd + 12
  const scale: Scale = {
    labelsEnd,
    xOf: (value) => barsStart + (value / greatest) * (barsEnd - barsStart),
  }
  const height = contentTop + sorted.length * row.height + 24
  const description = sorted
    .map(({ label, value }) => `${label}: ${whole(value.median)}`)
    .join('; ')
  return sheet(
    { title, subtitle, height, description },
    sorted.flatMap((bar, index) => drawBar(bar, contentTop + index * row.height + 8, scale)),
  )
}

function drawBar({ label, value, kind }: Bar, top: number, { labelsEnd, xOf }: Scale): string[] {
  const middle = top + row.bar / 2
  const baseline = middle + 4.5
  const look = kind === 'ours' ? 'strong' : 'plain'
  const { median, min, max } = value
  const length = Math.max(1.5, xOf(median) - xOf(0))
  return [
    text(labelsEnd, baseline, look, label, { 'text-anchor': 'end' }),
    element('rect', {
      ...{ x: xOf(0), y: top, width: length, height: row.bar, rx: 2.5 },
      class: fill(colourOf[kind]),
    }),
    whisker(xOf(min), xOf(max), middle),
    text(Math.max(xOf(median), xOf(max)) + 9, baseline, `number ${look}`, whole(median)),
  ]
}

function whisker(from: number, to: number, y: number): string {
  if (to - from < 2) return ''
  const path = `M${from.toFixed(1)} ${y - 4}v8M${from.toFixed(1)} ${y}H${to.toFixed(1)}m0 -4v8`
  return element('path', { d: path, class: stroke('ink'), 'stroke-width': 1, opacity: 0.55 })
}
