/** Shows an overview to people. */
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, duration, printable, quoted, written } from '../terminal/words.ts'
import type { ConsumerOverview, GroupOverview, Overview, PendingEntry } from './overview.ts'
import { pauseText } from './pause-text.ts'
import { typed } from '../terminal/typed.ts'

const heads = ['GROUP, CONSUMER', 'STATE', 'LAG', 'BEHIND', 'PENDING', 'HELD FOR', 'DEAD']

/** The overview as lines of text; `isColour`: the names of the columns stand out. */
export function asTable(overview: Overview, { isColour }: { isColour: boolean }): string {
  const { stream, entries, firstEntryId, lastEntryId, groups, foreignGroups } = overview
  const range = firstEntryId === null ? '' : `, ${firstEntryId} to ${lastEntryId ?? ''}`
  const lines = [`Stream ${stream}: ${countOf(entries, 'entry', 'entries')}${range}`]
  if (groups.length > 0) lines.push(tableOf(groups, isColour))
  lines.push(...groups.map(placeLine), ...groups.flatMap(pauseLines), ...missingLine(overview))
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

function missingLine({ missingGroup, groups }: Overview): string[] {
  if (missingGroup === null) return []
  const { name, isLost } = missingGroup
  if (isLost) {
    return [
      `Group ${name} is gone, but has processed entries before. See what can be recovered: "${typed('recover')}"`,
    ]
  }
  const others = groups.length > 0 ? ', or name one of these by CHECKIN_GROUP' : ''
  return [`There is no group ${name}. Create it with "${typed('groups create')}"${others}`]
}

function tableOf(groups: readonly GroupOverview[], isColour: boolean): string {
  const rows = groups.flatMap((group) => [groupRow(group), ...group.consumers.map(consumerRow)])
  const aligns = ['left', 'left', 'right', 'right', 'right', 'right', 'right'] as const
  return plainTable(rows, { head: heads, aligns, isColour })
}

function groupRow(group: GroupOverview): string[] {
  const { name, isPaused, lag, oldestUndeliveredMs, pending, oldestPending, deadLetters } = group
  return [
    name,
    isPaused ? 'paused' : '',
    lag === null ? 'unknown' : written(lag),
    oldestUndeliveredMs === null ? '' : duration(oldestUndeliveredMs),
    written(pending),
    heldFor(oldestPending),
    written(deadLetters),
  ]
}

function consumerRow({
  name,
  state,
  isPaused,
  pending,
  oldestPending,
}: ConsumerOverview): string[] {
  const states = isPaused ? `${state}, paused` : state
  return [`  ${printable(name)}`, states, '', '', written(pending), heldFor(oldestPending), '']
}

const heldFor = (entry: PendingEntry | null): string =>
  entry === null ? '' : duration(entry.idleMs)

/** Where the group is in the stream, and what it has held for longest. */
function placeLine({ name, lastDeliveredId, oldestPending }: GroupOverview): string {
  const place = `${name}: last delivered ${lastDeliveredId}`
  if (oldestPending === null) return place
  const { id, consumer, deliveries } = oldestPending
  const times = deliveries === 1 ? 'once' : `${written(deliveries)} times`
  return `${place}; oldest pending ${id}, with ${printable(consumer)}, delivered ${times}`
}
