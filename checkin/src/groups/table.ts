/** Shows an overview to people. */
import Table from 'cli-table3'
import type { ConsumerOverview, GroupOverview, Overview, PendingEntry } from './overview.ts'

const heads = [
  'GROUP, CONSUMER',
  'LAG',
  'PENDING',
  'OLDEST PENDING',
  'DEAD LETTERS',
  'LAST DELIVERED',
  'IDLE',
]

/** The overview as lines of text; `isColour`: the names of the columns stand out. */
export function asTable(overview: Overview, { isColour }: { isColour: boolean }): string {
  const { stream, entries, firstEntryId, lastEntryId, groups, foreignGroups } = overview
  const range = firstEntryId === null ? '' : `, ${firstEntryId} to ${lastEntryId ?? ''}`
  const lines = [
    `Stream ${stream}: ${written(entries)} ${entries === 1 ? 'entry' : 'entries'}${range}`,
  ]
  if (groups.length > 0) lines.push(tableOf(groups, isColour))
  else lines.push('It has no group. Create it with "npm run groups -- create"')
  if (foreignGroups.length > 0) {
    lines.push(
      `Groups with names that cannot be used here: ${foreignGroups.map(quoted).join(', ')}`,
    )
  }
  const { singleProcessor } = overview
  if (singleProcessor !== null) {
    lines.push(`Single processor: at ${quoted(singleProcessor.position)} (${singleProcessor.key})`)
  }
  return lines.join('\n')
}

function tableOf(groups: readonly GroupOverview[], isColour: boolean): string {
  const table = new Table({
    head: heads,
    chars: plain,
    style: { head: isColour ? ['bold'] : [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: ['left', 'right', 'right', 'left', 'right', 'left', 'right'],
  })
  for (const group of groups) {
    table.push(groupRow(group), ...group.consumers.map(consumerRow))
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function groupRow(group: GroupOverview): string[] {
  const { name, lag, pending, oldestPending, deadLetters, lastDeliveredId } = group
  const lagText = lag === null ? 'unknown' : written(lag)
  const oldest = oldestText(oldestPending)
  return [name, lagText, written(pending), oldest, written(deadLetters), lastDeliveredId, '']
}

function consumerRow({ name, pending, oldestPending, idleMs }: ConsumerOverview): string[] {
  const oldest = oldestText(oldestPending)
  return [`  ${printable(name)}`, '', written(pending), oldest, '', '', duration(idleMs)]
}

function oldestText(entry: PendingEntry | null): string {
  if (entry === null) return ''
  const { id, idleMs, deliveries } = entry
  const times = deliveries === 1 ? 'once' : `${written(deliveries)} times`
  return `${id}, delivered ${times}, ${duration(idleMs)} ago`
}

/** A time span in its two largest words of use: `4 ms`, `12.4 s`, `3 min`, `37 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${ms} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  return `${written(Math.floor(ms / 3_600_000))} h`
}

const written = (count: number): string => count.toLocaleString('en-US')

/** Others choose names of consumers: what is no plain text must not reach the terminal. */
function printable(text: string): string {
  return /^[^\p{C}\p{Z}]+$/u.test(text) ? text : quoted(text)
}

function quoted(text: string): string {
  const escape = (sign: string): string =>
    `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
  return `"${text.replaceAll(/(?! )[\p{C}\p{Z}"\\]/gu, escape)}"`
}

// No lines around cells: what stands there can be copied, cut and searched.
const plain = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle']
    .flatMap((place) => [place, `${place}-mid`, `${place}-left`, `${place}-right`])
    .concat('left-mid', 'mid-mid', 'right-mid')
    .map((place) => [place, '']),
)
