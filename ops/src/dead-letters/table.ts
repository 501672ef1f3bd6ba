/** Shows dead letters to people. Others wrote what stands in them: nothing of it may act on the terminal. */
import type { DeadLetter, DeadLetterPage } from 'millrace/operate'
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, escaped, printable, written } from '../terminal/words.ts'

const errorMax = 80
const valueMax = 1000

/** A page with the number of letters that there are. */
export interface Listing extends DeadLetterPage {
  readonly group: string
  readonly total: number
}

export function asTable(listing: Listing, { isColour }: { isColour: boolean }): string {
  const { letters, next, total, group } = listing
  const lines = [`Group ${group}: ${counted(total)}, ${written(letters.length)} shown`]
  if (letters.length > 0) {
    const head = ['LETTER', 'ENTRY', 'REASON', 'CONSUMER', 'TIME', 'ERROR']
    lines.push(plainTable(letters.map(row), { head, isColour }))
  }
  if (next !== null) lines.push(`More: --from ${next}`)
  return lines.join('\n')
}

function row(letter: DeadLetter): string[] {
  const { letterId, entryId, reason, consumer, error } = letter
  const text = error.length > errorMax ? `${error.slice(0, errorMax - 3)}...` : error
  const names = [entryId, reason, consumer].map(nameText)
  return [letterId, ...names, timeText(letter), escaped(text)]
}

/** A text with its length, where only its beginning is shown: whole it stands in the JSON. */
function shortened(text: string): string {
  if (text.length <= valueMax) return escaped(text)
  const characters = written(text.length)
  return `${escaped(text.slice(0, valueMax))}... (${characters} characters; all of them with --json)`
}

const nameText = (text: string): string => (text === '' ? '' : printable(text))

/** One letter with all that it holds, long texts cut. `isInStream`: its entry can be redriven, as far as one can see. */
export function asText(letter: DeadLetter & { readonly isInStream: boolean }): string {
  const { letterId, entryId, reason, error, consumer, attempts, fields, isPacked } = letter
  const presence = letter.isInStream ? 'in the stream' : 'not in the stream any more'
  const rows = [
    ['Letter', letterId],
    ['Entry', entryId === '' ? 'none' : `${printable(entryId)}, ${presence}`],
    ['Reason', nameText(reason)],
    ['Error', shortened(error)],
    ['Consumer', nameText(consumer)],
    ['Time', timeText(letter)],
    ...(attempts === null ? [] : [['Attempts', String(attempts)]]),
  ]
  const head = rows.map(([label = '', value = '']) => `${label.padEnd(10)}${value}`.trimEnd())
  if (isPacked) return [...head, 'Fields    more than 1,500, packed as MessagePack'].join('\n')
  const held = fields.map(([name, value]) => `  ${shortened(name)}: ${shortened(value)}`)
  return [...head, held.length === 0 ? 'Fields    none' : 'Fields', ...held].join('\n')
}

/** `1 dead letter`, `2 dead letters`. */
export function counted(count: number): string {
  return countOf(count, 'dead letter')
}

function timeText({ time }: DeadLetter): string {
  const isTime = Number.isFinite(time) && time > 0 && time < 8.64e15
  return isTime ? new Date(time).toISOString().replace(/\.\d+Z$/, 'Z') : ''
}
