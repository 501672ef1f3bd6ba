import type { Chart } from '../chart.ts'
import { drawBars } from './bars.ts'
import { drawLines } from './lines.ts'

/** A chart as an SVG document, readable by day and by night. */
export function draw(chart: Chart): string {
  return chart.kind === 'bars' ? drawBars(chart) : drawLines(chart)
}
