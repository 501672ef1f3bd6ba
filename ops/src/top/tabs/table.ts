/** Lays a table out for a width: drops the columns that matter least, then cuts texts. */
import { cut, fit, widthOf } from '../../terminal/fit.ts'

export interface Column {
  readonly head: string
  readonly align?: 'right'
  /** Where the width is short, the highest goes first; 0 stays. */
  readonly rank: number
  /** Columns of the terminal at least, so that the table keeps still while figures change. */
  readonly least?: number
  /** And at most, default 32; the last column takes what is left. */
  readonly most?: number
}

/** What a state says beside its word. */
export type Tone = 'bad' | 'warn' | 'good' | 'quiet' | 'plain'

export interface Piece {
  readonly text: string
  readonly tone: Tone
  readonly isBold?: boolean
  readonly isInverse?: boolean
}

/** One line of the screen. */
export type Line = readonly Piece[]

const gap = 2
const mostDefault = 32

export interface LaidOut {
  readonly head: string
  /** Of each row, the texts of its cells with the blanks behind them. */
  readonly rows: readonly (readonly string[])[]
  /** Which columns are shown, by their index. */
  readonly shown: readonly number[]
}

export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): LaidOut {
  const wanted = columns.map((column, at) => {
    const widest = Math.max(column.least ?? 0, ...rows.map((cells) => widthOf(cells[at] ?? '')))
    return Math.max(
      widthOf(column.head),
      at === columns.length - 1 ? widest : Math.min(column.most ?? mostDefault, widest),
    )
  })
  const shown = fitting(columns, wanted, width)
  const widths = shrunk(
    shown.map((at) => wanted[at] ?? 0),
    shown.map((at) => columns[at]?.align === 'right'),
    width,
  )
  const line = (cells: readonly string[]): string[] =>
    shown.map((at, place) => {
      const isLast = place === shown.length - 1
      const text = fit(cells[at] ?? '', widths[place] ?? 0, columns[at]?.align)
      return isLast ? text : text + ' '.repeat(gap)
    })
  return {
    head: cut(line(columns.map(({ head }) => head)).join(''), width),
    rows: rows.map(line),
    shown,
  }
}

const taken = (widths: readonly number[]): number =>
  widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1)

function fitting(columns: readonly Column[], wanted: readonly number[], width: number): number[] {
  let shown = columns.map((_, at) => at)
  // A long text can be cut: for it no other column has to go.
  const least = (at: number): number =>
    columns[at]?.align === 'right' ? (wanted[at] ?? 0) : Math.min(wanted[at] ?? 0, textLeast)
  while (taken(shown.map(least)) > width) {
    const last = Math.max(...shown.map((at) => columns[at]?.rank ?? 0))
    if (last === 0) break
    shown = shown.filter((at) => columns[at]?.rank !== last)
  }
  return shown
}

const textLeast = 16

/** Takes from the widest text, until all fit. */
function shrunk(wanted: readonly number[], isFigure: readonly boolean[], width: number): number[] {
  const widths = [...wanted]
  for (let over = taken(widths) - width; over > 0; over -= 1) {
    const texts = widths.map((each, at) => (isFigure[at] === true ? 0 : each))
    const widest = texts.indexOf(Math.max(...texts))
    widths[widest] = Math.max(1, (widths[widest] ?? 1) - 1)
  }
  return widths
}
