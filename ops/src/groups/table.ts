/** Shows an overview to people. */
import type { Typed } from '../place/typed.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, duration, printable, quoted, written } from '../terminal/words.ts'
import { heldFor } from './held-for.ts'
import type { ConsumerOverview, GroupOverview, Overview } from './overview.ts'
import { pauseText } from '../terminal/pause-text.ts'
import type { PendingEntry } from './pending-entry.ts'
import type { LagDoubt } from '../snapshot/snapshot.ts'

const heads = ['GROUP, CONSUMER', 'STATE', 'LAG', 'BEHIND', 'PENDING', 'HELD FOR', 'DEAD']

export interface TableOptions {
  /** The names of the columns stand out. */
  readonly isColour: boolean
  readonly typed: Typed
}

/** The overview as lines of text. */
export function asTable(overview: Overview, options: TableOptions): string {
  const { stream, entries, firstEntryId, lastEntryId, groups, foreignGroups, readers } = overview
  const range = firstEntryId === null ? '' : `, ${firstEntryId} to ${lastEntryId ?? ''}`
  const lines = [`Stream ${printable(stream)}: ${countOf(entries, 'entry', 'entries')}${range}`]
  if (groups.length > 0) lines.push(tableOf(groups, options.isColour))
  lines.push(...groups.map(placeLine), ...groups.flatMap(doubtLines), ...groups.flatMap(pauseLines))
  lines.push(...foreignLine(groups), ...missingLine(overview, options))
  if (foreignGroups.length > 0) {
    lines.push(
      `Groups with names that cannot be used here: ${foreignGroups.map(quoted).join(', ')}`,
    )
  }
  for (const { reader, position } of readers) {
    if (position === null) continue
    const title = `${reader.title.charAt(0).toUpperCase()}${reader.title.slice(1)}`
    lines.push(`${title}: at ${quoted(position)} (${reader.positionKey})`)
  }
  return lines.join('\n')
}

const doubts: Readonly<Record<LagDoubt['why'], string>> = {
  'entries-deleted': 'entries were deleted or trimmed by others, and these are too many to count',
  'position-set': 'the group began amid the stream, and these are too many to count',
  forbidden: 'the user may not count them',
}

/** Why a lag is not exact. */
function doubtLines({ name, lag, lagDoubt }: GroupOverview): string[] {
  if (lagDoubt === null) return []
  const what = lag === null ? 'unknown' : 'not exact'
  return [`${printable(name)}: lag ${what}: ${doubts[lagDoubt.why]}.`]
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

const isForeign = ({ isManaged, consumers }: GroupOverview): boolean =>
  !isManaged && consumers.length > 0

/** Of others nothing is a dead letter of ours, and a zero would say that all is well. */
const hasNoLetters = (group: GroupOverview): boolean =>
  group.deadLetters === 0 && (isForeign(group) || group.deadLetterStream === null)

/** Groups on which others work: what is not known must not look like a zero. */
function foreignLine(groups: readonly GroupOverview[]): string[] {
  const foreign = groups.filter(isForeign)
  if (foreign.length === 0) return []
  const names = foreign.map(({ name }) => printable(name)).join(', ')
  return [
    `No consumer of Millrace works on ${names}: no leases, no ledger, only what the server tells.`,
  ]
}

function missingLine({ missingGroup, groups }: Overview, { typed }: TableOptions): string[] {
  if (missingGroup === null) return []
  const { name, isLost } = missingGroup
  if (isLost) {
    return [
      `Group ${printable(name)} is gone, but has processed entries before. See what can be recovered: "${typed('recover')}"`,
    ]
  }
  const others = groups.length > 0 ? ', or name one of these by --group' : ''
  return [
    `There is no group ${printable(name)}. Create it with "${typed('groups create')}"${others}`,
  ]
}

function tableOf(groups: readonly GroupOverview[], isColour: boolean): string {
  const rows = groups.flatMap((group) => [groupRow(group), ...group.consumers.map(consumerRow)])
  const aligns = ['left', 'left', 'right', 'right', 'right', 'right', 'right'] as const
  return plainTable(rows, { head: heads, aligns, isColour })
}

function groupRow(group: GroupOverview): string[] {
  const { name, isPaused, oldestUndeliveredMs, pending, oldestPending } = group
  return [
    printable(name),
    isPaused ? 'paused' : '',
    lagText(group),
    oldestUndeliveredMs === null ? '' : duration(oldestUndeliveredMs),
    written(pending),
    heldText(oldestPending),
    hasNoLetters(group) ? '' : written(group.deadLetters),
  ]
}

/** What is not known is no zero: `≥ 10,000` where so many were counted. */
function lagText({ lag, lagDoubt }: GroupOverview): string {
  if (lag !== null) return lagDoubt === null ? written(lag) : `~${written(lag)}`
  return lagDoubt === null ? 'unknown' : `≥ ${written(lagDoubt.atLeast)}`
}

function consumerRow({
  name,
  state,
  isPaused,
  pending,
  oldestPending,
}: ConsumerOverview): string[] {
  const states = isPaused ? `${state}, paused` : state
  return [`  ${printable(name)}`, states, '', '', written(pending), heldText(oldestPending), '']
}

const heldText = (entry: PendingEntry | null): string => (entry === null ? '' : heldFor(entry))

/** Where the group is in the stream, and what it has held for longest. */
function placeLine({ name, lastDeliveredId, oldestPending }: GroupOverview): string {
  const place = `${printable(name)}: last delivered ${lastDeliveredId}`
  if (oldestPending === null) return place
  const { id, consumer, deliveries } = oldestPending
  const times = deliveries === 1 ? 'once' : `${written(deliveries)} times`
  return `${place}; oldest pending ${id}, with ${printable(consumer)}, delivered ${times}`
}
