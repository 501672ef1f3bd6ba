/** The whole screen as lines, for a width and a height. Pure: the same view of the same things is the same screen. */
import { cut, fit, widthOf } from '../terminal/fit.ts'
import { escaped, printable, written } from '../terminal/words.ts'
import { entryLines } from './entry.ts'
import type { Seen } from './feed.ts'
import { helpLines } from './help.ts'
import { tabs, type Row, type Sorting } from './tabs/rows.ts'
import { toldOf, type Told } from './sentence.ts'
import { isSame, rowsOf, wantedOf, type ShownRows } from './shown.ts'
import { layOut, type Column, type Line, type Piece, type Tone } from './tabs/table.ts'
import { filterOf, levelOf, selectedOf, sortingOf, type Shown, type View } from './view.ts'

interface Size {
  readonly columns: number
  readonly rows: number
}

export interface FrameOptions {
  /** The server, without its password. */
  readonly url: string
  readonly size: Size
  readonly everyMs: number
  /** Milliseconds of the clock of `seen.atMs`. */
  readonly nowMs: number
}

export interface Frame {
  /** As many as fit, one above the other. */
  readonly lines: readonly Line[]
  readonly shown: Shown
}

/** Lines above and below what moves. */
const fixedLines = 5

export function frameOf(view: View, seen: Seen, options: FrameOptions): Frame {
  const { columns, rows: height } = options.size
  const rows = rowsOf(view, seen)
  // The last line of the terminal stays free: what writes there makes it scroll.
  const room = Math.max(1, height - 1 - fixedLines)
  const body = bodyOf(view, seen, { rows, columns, room })
  const head = [
    headLine(view, seen, options),
    ...sentenceLines(seen, columns),
    tabLine(view, rows, columns),
  ]
  const filled = [...body.lines, ...Array.from({ length: room }, () => [])].slice(0, room)
  return {
    lines: [...head, ...filled, footLine(view, columns)].map((line) => clipped(line, columns)),
    shown: { rows: rows.rows, columns: rows.columns.length, scrollMax: body.scrollMax },
  }
}

/** No line is longer than the terminal is wide, and were it as narrow as a watch. */
function clipped(line: Line, columns: number): Line {
  let left = columns
  return line.map((piece) => {
    const text = cut(piece.text, left)
    left -= widthOf(text)
    return { ...piece, text }
  })
}

const plain = (text: string): Line => [{ text, tone: 'plain' }]
const quiet = (text: string): Line => [{ text, tone: 'quiet' }]

/** Name and server on the left, how fresh it is on the right. */
function headLine(view: View, seen: Seen, { url, size, everyMs, nowMs }: FrameOptions): Line {
  const { snapshot } = seen
  const server = snapshot?.server ? `${snapshot.server.product} ${snapshot.server.version} at ` : ''
  const fresh = freshness(view, seen, { everyMs, nowMs })
  const left = cut(`millrace top  ${server}${url}`, size.columns - widthOf(fresh.text) - 2)
  const blanks = ' '.repeat(Math.max(1, size.columns - widthOf(left) - widthOf(fresh.text)))
  return [{ text: left, tone: 'plain', isBold: true }, { text: blanks, tone: 'plain' }, fresh]
}

/** Nothing but the age of what is shown says whether it can be believed. */
function freshness(
  { isPaused }: View,
  { atMs, trouble }: Seen,
  { everyMs, nowMs }: { readonly everyMs: number; readonly nowMs: number },
): Piece {
  if (atMs === null) {
    return trouble === null
      ? { text: 'connecting', tone: 'quiet' }
      : { text: 'no data', tone: 'bad' }
  }
  const ageMs = Math.max(0, nowMs - atMs)
  const age = ageMs < 60_000 ? `${Math.floor(ageMs / 1000)} s` : `${Math.floor(ageMs / 60_000)} min`
  if (isPaused) return { text: `paused, ${age} old`, tone: 'warn' }
  const isLate = trouble !== null || ageMs > Math.max(3000, 3 * everyMs)
  return isLate ? { text: `stale ${age}`, tone: 'bad' } : { text: 'live', tone: 'good' }
}

/** How it stands; while nothing answers, why. Always two lines, so that what is below keeps still. */
function sentenceLines({ snapshot, trouble }: Seen, columns: number): Line[] {
  const told: Told | undefined =
    trouble !== null
      ? { text: escaped(trouble), tone: 'bad' }
      : snapshot === null
        ? undefined
        : toldOf(snapshot)
  const { text = '', tone = 'plain' } = told ?? {}
  const [first = '', second = ''] = inTwo(text, columns)
  const shown = tone === 'good' ? 'plain' : tone
  return [first, second].map((line) => [{ text: cut(line, columns), tone: shown, isBold: true }])
}

/** Breaks between two words. */
function inTwo(text: string, columns: number): string[] {
  if (widthOf(text) <= columns) return [text]
  let first = ''
  for (const word of text.split(' ')) {
    const longer = first === '' ? word : `${first} ${word}`
    if (widthOf(longer) > columns) break
    first = longer
  }
  return first === '' ? [text] : [first, text.slice(first.length + 1)]
}

/** Which tab is open, what it is about, and what is left out of it. */
function tabLine(view: View, rows: ShownRows, columns: number): Line {
  const { tab } = levelOf(view)
  const pieces = tabs.map((name, at): Piece => {
    const isOpen = name === tab
    const label = isOpen ? `[${at + 1} ${name}]` : ` ${at + 1} ${name} `
    return { text: label, tone: isOpen ? 'plain' : 'quiet', isBold: isOpen }
  })
  const taken = pieces.reduce((sum, { text }) => sum + widthOf(text), 0)
  const about = cut(`  ${aboutText(view, rows)}`, Math.max(0, columns - taken))
  return [...pieces, { text: about, tone: 'plain' }]
}

function aboutText(view: View, { scope, rows, all, columns, more }: ShownRows): string {
  const about = scope === null ? '' : `of ${scopeText(scope)}`
  if (levelOf(view).entry !== null) return about
  const filter = filterOf(view)
  const left =
    filter === '' ? '' : `"${escaped(filter)}": ${written(rows.length)} of ${written(all)}`
  const parts = [about, sortingText(sortingOf(view), columns), left, more ?? '']
  return parts.filter((part) => part !== '').join('; ')
}

/** Empty for the worst first. */
function sortingText({ column, isReversed }: Sorting, columns: readonly Column[]): string {
  const by = column === undefined ? undefined : columns[column]
  if (by === undefined) return isReversed ? 'the worst last' : ''
  return `by ${by.head.toLowerCase()}${isReversed ? ', reversed' : ''}`
}

const scopeText = ({ group, consumer }: { group: string; consumer?: string }): string =>
  consumer === undefined ? printable(group) : `${printable(consumer)} in ${printable(group)}`

interface Body {
  readonly lines: readonly Line[]
  readonly scrollMax: number
}

function bodyOf(
  view: View,
  seen: Seen,
  { rows, columns, room }: { rows: ShownRows; columns: number; room: number },
): Body {
  if (view.isHelp) return scrolled(helpLines(columns), view, room)
  if (levelOf(view).entry !== null) {
    const { detail, detailTrouble } = seen
    if (detailTrouble !== null) return scrolled([cut(escaped(detailTrouble), columns)], view, room)
    const isThere = detail !== null && isSame(detail.of, wantedOf(view, seen.snapshot))
    return scrolled(isThere ? entryLines(detail, columns) : ['Asking ...'], view, room)
  }
  return { lines: tableLines(view, rows, { columns, room }), scrollMax: 0 }
}

function scrolled(lines: readonly string[], { scrolled }: View, room: number): Body {
  const scrollMax = Math.max(0, lines.length - room)
  const from = Math.min(scrolled, scrollMax)
  return { lines: lines.slice(from, from + room).map(plain), scrollMax }
}

/** The table, moved so that the row under the mark is seen. */
function tableLines(
  view: View,
  { columns: heads, rows, empty }: ShownRows,
  { columns, room }: { readonly columns: number; readonly room: number },
): Line[] {
  if (rows.length === 0) {
    const text =
      empty === '' || filterOf(view) === ''
        ? empty
        : 'No row has these words. Esc drops the filter.'
    return text === '' ? [] : [[], plain(cut(escaped(text), columns))]
  }
  const selected = selectedOf(view, rows)
  const at = selected === undefined ? 0 : rows.indexOf(selected)
  const height = Math.max(1, room - 1)
  const from = Math.max(0, Math.min(at - Math.floor(height / 2), rows.length - height))
  const seen = rows.slice(from, from + height)
  const mark = 2
  const table = layOut(
    heads,
    seen.map(({ cells }) => cells),
    columns - mark,
  )
  const head: Line = [{ text: `  ${table.head}`, tone: 'quiet', isBold: true }]
  return [
    head,
    ...table.rows.map((cells, place) => rowLine(cells, seen[place], from + place === at)),
  ]
}

/** The mark says which row is chosen, also without reversed colours. */
function rowLine(cells: readonly string[], row: Row | undefined, isSelected: boolean): Line {
  const tone: Tone = row?.tone ?? 'plain'
  return [
    { text: isSelected ? '> ' : '  ', tone: 'plain', isInverse: isSelected },
    ...cells.map((text, at): Piece => ({
      text,
      tone: at === 0 ? tone : 'plain',
      isInverse: isSelected,
    })),
  ]
}

const keys = 'Enter open  Esc back  Tab next  / filter  s sort  Space pause  ? help  q quit'

function footLine({ draft, isHelp, levels }: View, columns: number): Line {
  if (draft !== null) {
    const typed = `Filter: ${escaped(draft)}_`
    return plain(
      fit(cut(typed, columns - 30), columns - 30) + cut('  Enter keeps it, Esc drops it', 30),
    )
  }
  if (isHelp || levelOf({ levels }).entry !== null) {
    return quiet(cut('Up Down scroll  Esc back  q quit', columns))
  }
  return quiet(cut(keys, columns))
}
