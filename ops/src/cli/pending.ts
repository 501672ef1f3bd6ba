import { Command, InvalidArgumentError, Option } from 'commander'
import { duration as durationOf, integerWithin } from '../command/arguments.ts'
import { UsageError } from '../command/errors.ts'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
import { foreignNameOf, lookAtForeign } from '../groups/foreign-name.ts'
import { heldFor } from '../groups/held-for.ts'
import { pendingEntries, type PendingEntry } from '../groups/pending-entry.ts'
import {
  FilterError,
  parseFilter,
  type EntryFields,
  type PendingFilter,
} from '../groups/pending-filter.ts'
import { fieldsOf, scanMaxDefault, scanPending } from '../groups/pending-scan.ts'
import type { Service } from '../service.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, escaped, isColour, printable, written } from '../terminal/words.ts'
import { print } from './output.ts'

interface Flags extends PlaceFlags {
  readonly consumer?: string
  readonly idle?: number
  readonly limit: number
  readonly from?: string
  readonly filter?: PendingFilter
  readonly scan: number
  readonly json?: boolean
}

/** A pending entry with what the stream holds of it; `fields` null: it was deleted. */
interface Shown extends PendingEntry {
  readonly fields: EntryFields | null
}

interface Listing {
  readonly stream: string
  readonly group: string
  /** All that are pending. */
  readonly total: number
  readonly entries: readonly Shown[]
  readonly next: string | null
  /** How far a filter looked; `of`: pending entries of the group, or of the consumer that it names. */
  readonly scanned?: {
    readonly entries: number
    readonly of: number
    /** Nothing behind it can fit. */
    readonly isRestYounger: boolean
  }
  /** What its entries hold, where a field that the filter asks for was seen nowhere. */
  readonly unseen?: { readonly fields: readonly string[]; readonly there: readonly string[] }
}

const limitMax = 10_000
const scanMax = 10_000_000
/** Characters of the fields where nobody knows how wide the terminal is, and at least. */
const fieldsMax = 60
const fieldsLeast = 20

/** `pending`: what is delivered and not acknowledged, with what stands in it. */
export function command(service: Service): Command {
  return addPlace(
    new Command()
      .description('Shows what is delivered to consumers of the group and not acknowledged.')
      .option('--consumer <name>', 'only what this consumer holds')
      .addOption(
        new Option(
          '--idle <time>',
          'only what was delivered so long ago, like 30s or 2h',
        ).argParser(durationOf),
      )
      .addOption(
        new Option('--limit <entries>', 'show so many')
          .argParser(integerWithin(1, limitMax))
          .default(20),
      )
      .option('--from <id>', 'go on behind this entry')
      .option('--filter <terms>', filterText, filterOf)
      .addOption(
        new Option('--scan <entries>', 'look at so many for the filter')
          .argParser(integerWithin(1, scanMax))
          .default(scanMaxDefault),
      )
      .option('--json', 'print it as JSON'),
    service,
  ).action((flags: Flags) => list(service, flags))
}

const filterText =
  "only what fits all terms, like 'consumer:w-3 age:>10s held:>5s deliveries:>2 userId:12'"

function filterOf(text: string): PendingFilter {
  try {
    return parseFilter(text)
  } catch (error) {
    if (error instanceof FilterError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

async function list(service: Service, flags: Flags): Promise<void> {
  const { consumer, idle, from, filter, json } = flags
  if (from !== undefined && !/^\d{1,20}-\d{1,20}$/.test(from)) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(from)} as --from: it is an id like 1740790744731-0`,
    )
  }
  if (filter !== undefined && (consumer !== undefined || idle !== undefined)) {
    throw new UsageError(
      'Cannot use --filter with --consumer or --idle: write them as its terms consumer:NAME and held:>=TIME',
    )
  }
  const work = async (place: Place): Promise<void> => {
    const result =
      filter === undefined ? await plainly(place, flags) : await filtered(place, flags, filter)
    print(json, result, asText(result))
  }
  await at(service, flags, work, { anyName: true })
}

/** What of the group is asked by its name, and how much is pending in all. */
async function lookedAt(place: Place): Promise<Pick<Listing, 'stream' | 'group' | 'total'>> {
  const { millrace, group } = place
  const { key } = place.stream
  const foreign = foreignNameOf(place)
  if (foreign === undefined) {
    const { pending: total } = await group.describe()
    return { stream: key, group: group.name, total }
  }
  const { pending: total } = (await lookAtForeign(millrace, key, foreign)).group
  return { stream: key, group: foreign, total }
}

async function plainly(place: Place, flags: Flags): Promise<Listing> {
  const { consumer, idle: idleMs, limit, from } = flags
  const { millrace } = place
  const { stream: key, group, total } = await lookedAt(place)
  // One more says whether there are more.
  const wanted = { count: limit + 1, consumer, idleMs, ...(from && { from: `(${from}` }) }
  const found = await pendingEntries(millrace, key, group, wanted)
  const entries = await Promise.all(
    found.slice(0, limit).map(async (entry) => {
      return { ...entry, fields: await fieldsOf(millrace, key, entry.id) }
    }),
  )
  const next = found.length > limit ? (entries.at(-1)?.id ?? null) : null
  return { stream: key, group, total, entries, next }
}

async function filtered(
  place: Place,
  { limit, from, scan }: Flags,
  filter: PendingFilter,
): Promise<Listing> {
  const { stream, group, total } = await lookedAt(place)
  const found = await scanPending(
    place.millrace,
    { stream, group },
    { filter, limit, scanMax: scan, from },
  )
  const { fieldNames: there, isRestYounger, next } = found
  const fields = filter.fields.filter((name) => !there.includes(name))
  return {
    ...{ stream, group, total },
    entries: found.entries.map(({ id, consumer, idleMs, deliveries, fields }) => {
      return { id, consumer, idleMs, deliveries, fields }
    }),
    next,
    scanned: { entries: found.scanned, of: found.total, isRestYounger },
    ...(fields.length > 0 && there.length > 0 && { unseen: { fields, there } }),
  }
}

function asText({ group, total, entries, next, scanned, unseen }: Listing): string {
  const all = `Group ${printable(group)}: ${countOf(total, 'pending entry', 'pending entries')}`
  const lines = [`${all}, ${written(entries.length)} shown${scannedText(scanned)}`]
  if (entries.length > 0) {
    const head = ['ENTRY', 'CONSUMER', 'HELD FOR', 'TIMES', 'FIELDS']
    const rest = entries.map((entry) => {
      const { id, consumer, deliveries } = entry
      return [id, printable(consumer), heldFor(entry), written(deliveries)]
    })
    const most = room([head.slice(0, -1), ...rest])
    const rows = rest.map((row, at) => [...row, fieldsText(entries[at]?.fields ?? null, most)])
    const aligns = ['left', 'left', 'right', 'right', 'left'] as const
    lines.push(plainTable(rows, { head, aligns, isColour: isColour() }))
  }
  if (unseen !== undefined) {
    const [missing, there] = [unseen.fields, unseen.there].map((names) =>
      names.map(printable).join(', '),
    )
    lines.push(`No entry that was scanned has a field ${missing}. There are: ${there}`)
  }
  if (next !== null) lines.push(`More: --from ${next}`)
  return lines.join('\n')
}

function scannedText(scanned: Listing['scanned']): string {
  if (scanned === undefined) return ''
  const { entries, of, isRestYounger } = scanned
  const rest = isRestYounger ? ', the rest is younger' : ''
  return `; scanned ${written(entries)} of ${written(of)}${rest}`
}

/** How many characters of the fields fit into a line of the terminal, behind the other columns. */
function room(rows: readonly (readonly string[])[]): number {
  // Without a terminal there is no such number, whatever its type says.
  const columns = process.stdout.columns as number | undefined
  if (columns === undefined) return fieldsMax
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? []
  const taken = widths.reduce((sum, width) => sum + width + 2, 0)
  return Math.max(fieldsLeast, columns - taken)
}

/** Others wrote them: nothing of it may act on the terminal. Whole they stand in the JSON. */
function fieldsText(fields: Shown['fields'], most: number): string {
  if (fields === null) return 'deleted from the stream'
  const text = escaped(fields.map(([name, value]) => `${name}=${value}`).join(' '))
  return text.length > most ? `${text.slice(0, most - 3)}...` : text
}
