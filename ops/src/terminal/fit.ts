/** Texts of a given width on a terminal, where some signs take two columns and some none. */
import stringWidth from 'string-width'

/** Columns that a text takes on a terminal. */
export const widthOf = (text: string): number => stringWidth(text)

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** What stands for the rest of a text that is cut. */
const cutMark = '…'

/** At most so many columns; what is cut ends in `…`. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return ''
  if (widthOf(text) <= columns) return text
  let kept = ''
  let taken = 1
  for (const { segment } of graphemes.segment(text)) {
    taken += widthOf(segment)
    if (taken > columns) break
    kept += segment
  }
  return kept + cutMark
}

/** Exactly so many columns: cut, or filled with blanks. */
export function fit(text: string, columns: number, align: 'left' | 'right' = 'left'): string {
  const kept = cut(text, columns)
  const blanks = ' '.repeat(Math.max(0, columns - widthOf(kept)))
  return align === 'left' ? kept + blanks : blanks + kept
}

/** Without its last sign, as people see signs. */
export const withoutLast = (text: string): string =>
  [...graphemes.segment(text)]
    .slice(0, -1)
    .map(({ segment }) => segment)
    .join('')
