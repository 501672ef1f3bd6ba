/** A small change of a source: what an operator makes of one node of its syntax. */

/** Replaces the text from `start` up to `end`. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly replacement: string
  /** What kind of change: `condition`, `comparison`, `dropped`. */
  readonly operator: string
  /** The innermost function with a name that holds the node, as V8 calls it; undefined outside of one, and in Lua. */
  readonly within?: string | undefined
}

/** An edit of a file of the checkout. */
export interface Mutant extends Edit {
  readonly area: string
  /** From the root of the checkout. */
  readonly file: string
  readonly line: number
  /** The lines that the edit touches, before and after, each as one line: they stay when lines above move. */
  readonly before: string
  readonly after: string
}

export function applied(text: string, { start, end, replacement }: Edit): string {
  return text.slice(0, start) + replacement + text.slice(end)
}

export function mutantOf(area: string, file: string, text: string, edit: Edit): Mutant {
  const from = text.lastIndexOf('\n', edit.start - 1) + 1
  const lineEnd = text.indexOf('\n', edit.end)
  const to = lineEnd === -1 ? text.length : lineEnd
  const changed = text.slice(from, edit.start) + edit.replacement + text.slice(edit.end, to)
  return {
    ...edit,
    area,
    file,
    line: text.slice(0, edit.start).split('\n').length,
    before: asOneLine(text.slice(from, to)),
    after: asOneLine(changed),
  }
}

/** What changes, short: the two lines without what they have in common, but for some words around it. */
export function shownChange({ before, after }: Pick<Mutant, 'before' | 'after'>): string {
  const around = 24
  const shorter = Math.min(before.length, after.length)
  let first = 0
  while (first < shorter && before[first] === after[first]) first += 1
  let last = 0
  while (last < shorter - first && before.at(-1 - last) === after.at(-1 - last)) last += 1
  const cut = (line: string): string => {
    const from = Math.max(0, first - around)
    const to = Math.min(line.length, line.length - last + around)
    const part = line.slice(from, to)
    const shown = part.length > 90 ? `${part.slice(0, 60)} ... ${part.slice(-25)}` : part
    return `${from > 0 ? '...' : ''}${shown}${to < line.length ? '...' : ''}`
  }
  return `${cut(before)}  =>  ${cut(after)}`
}

function asOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}
