/** Shows an overview to people. */
import { plainTable } from '../terminal/plain-table.ts'
import { duration, printable, quoted, written } from '../terminal/words.ts'
import type { ConsumerOverview, GroupOverview, Overview, PendingEntry } from './overview.ts'
import { pauseText } from './pause-text.ts'

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
  lines.push(...groups.flatMap(pauseLines))
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

/** A line for each pause of the group and its consumers, also those that are not there. */
export function pauseLines({ name, pauses }: Pick<GroupOverview, 'name' | 'pauses'>): string[] {
  return [
    ...(pauses.group === null ? [] : [`Group ${name} is paused ${pauseText(pauses.group)}.`]),
    ...Object.entries(pauses.consumers).map(
      ([consumer, pause]) =>
        `Consumer ${printable(consumer)} of group ${name} is paused ${pauseText(pause)}.`,
    ),
  ]
}

function tableOf(groups: readonly GroupOverview[], isColour: boolean): string {
  const rows = groups.flatMap((group) => [groupRow(group), ...group.consumers.map(consumerRow)])
  const aligns = ['left', 'right', 'right', 'left', 'right', 'left', 'right'] as const
  return plainTable(rows, { head: heads, aligns, isColour })
}

function groupRow(group: GroupOverview): string[] {
  const { name, isPaused, lag, pending, oldestPending, deadLetters, lastDeliveredId } = group
  const lagText = lag === null ? 'unknown' : written(lag)
  const oldest = oldestText(oldestPending)
  return [
    isPaused ? `${name} (paused)` : name,
    lagText,
    written(pending),
    oldest,
    written(deadLetters),
    lastDeliveredId,
    '',
  ]
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
