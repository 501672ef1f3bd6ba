/** An entry or a dead letter with all it holds, as lines. */
import type { EntryFields } from '../groups/pending-filter.ts'
import { heldFor } from '../groups/held-for.ts'
import { cut, fit, widthOf } from '../terminal/fit.ts'
import { escaped, printable, written } from '../terminal/words.ts'
import type { Detail } from './details.ts'

/** More of a value is no help on a screen. */
const valueMax = 4000

/** @param width columns of the screen: long values go on in the next line */
export function entryLines(detail: Detail, width: number): string[] {
  if (detail.kind === 'entry') return pendingLines(detail, width)
  return detail.kind === 'letter' ? letterLines(detail, width) : []
}

function pendingLines(detail: Extract<Detail, { kind: 'entry' }>, width: number): string[] {
  const { of, pending, fields } = detail
  const id = of.kind === 'entry' ? of.id : ''
  const state =
    pending === null
      ? [['State', 'not pending any more: acknowledged, or given up']]
      : [
          ['State', `pending for ${printable(pending.consumer)}`],
          ['Held for', heldFor(pending)],
          ['Delivered', pending.deliveries === 1 ? 'once' : `${written(pending.deliveries)} times`],
        ]
  return [
    ...pairs([['Entry', id], ['Appended', timeText(id)], ...state], width),
    ...fieldLines(fields, width),
  ]
}

function letterLines(detail: Extract<Detail, { kind: 'letter' }>, width: number): string[] {
  const { letter } = detail
  if (letter === null) return ['The dead letter is gone: redriven or purged.']
  const { letterId, entryId, reason, error, consumer, attempts } = letter
  const shown = [
    ['Letter', letterId],
    ['Entry', entryId === '' ? 'none' : printable(entryId)],
    ['Reason', printable(reason)],
    ['Error', escaped(error)],
    ['Consumer', printable(consumer)],
    ['Time', new Date(letter.time).toISOString()],
    ...(attempts === null ? [] : [['Tries', written(attempts)]]),
  ]
  const packed = ['', 'More than 1,500 fields, packed as MessagePack.']
  return [...pairs(shown, width), ...(letter.isPacked ? packed : fieldLines(letter.fields, width))]
}

/** The time in an id; empty when it holds none. */
function timeText(id: string): string {
  const ms = Number(id.split('-')[0])
  return ms > 1e12 && ms < 8.64e15 ? new Date(ms).toISOString() : 'its id tells no time'
}

function fieldLines(fields: EntryFields | null, width: number): string[] {
  if (fields === null) return ['', 'The stream does not hold it any more: deleted or trimmed.']
  if (fields.length === 0) return ['', 'No fields.']
  const shown = fields.map(([name, value]) => [escaped(name), shortened(value)])
  return ['', 'Fields', ...pairs(shown, width - 2).map((line) => `  ${line}`)]
}

function shortened(value: string): string {
  if (value.length <= valueMax) return escaped(value)
  return `${escaped(value.slice(0, valueMax))}… (${written(value.length)} characters)`
}

/** Names on the left, what they hold beside them. */
function pairs(rows: readonly (readonly string[])[], width: number): string[] {
  const left = Math.min(24, Math.max(...rows.map(([name = '']) => widthOf(name)))) + 2
  return rows.flatMap(([name = '', value = '']) =>
    wrapped(value, Math.max(10, width - left)).map(
      (line, at) => fit(at === 0 ? cut(name, left - 1) : '', left) + line,
    ),
  )
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function wrapped(text: string, width: number): string[] {
  const lines = ['']
  for (const { segment } of graphemes.segment(text)) {
    const last = lines.at(-1) ?? ''
    if (widthOf(last) + widthOf(segment) <= width) lines[lines.length - 1] = last + segment
    else lines.push(segment)
  }
  return lines
}
