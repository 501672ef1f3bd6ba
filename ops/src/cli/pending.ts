import { Command, Option } from 'commander'
import type { Millrace } from 'millrace'
import { duration as durationOf, integerWithin } from '../command/arguments.ts'
import { UsageError } from '../command/errors.ts'
import { addPlace, at, type PlaceFlags } from '../place/place.ts'
import { heldFor } from '../groups/held-for.ts'
import { pendingEntries, type PendingEntry } from '../groups/pending-entry.ts'
import type { Service } from '../service.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, escaped, isColour, printable, written } from '../terminal/words.ts'
import { print } from './output.ts'

interface Flags extends PlaceFlags {
  readonly consumer?: string
  readonly idle?: number
  readonly limit: number
  readonly from?: string
  readonly json?: boolean
}

/** A pending entry with what the stream holds of it; `fields` null: it was deleted. */
interface Shown extends PendingEntry {
  readonly fields: readonly (readonly [name: string, value: string])[] | null
}

const limitMax = 10_000
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
      .option('--json', 'print it as JSON'),
    service,
  ).action((flags: Flags) => list(service, flags))
}

async function list(service: Service, flags: Flags): Promise<void> {
  const { consumer, idle: idleMs, limit, from, json } = flags
  if (from !== undefined && !/^\d{1,20}-\d{1,20}$/.test(from)) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(from)} as --from: it is an id like 1740790744731-0`,
    )
  }
  await at(service, flags, async ({ millrace, group }) => {
    const { key } = group.stream
    const { pending: total } = await group.describe()
    // One more says whether there are more.
    const wanted = { count: limit + 1, consumer, idleMs, ...(from && { from: `(${from}` }) }
    const found = await pendingEntries(millrace, key, group.name, wanted)
    const entries = await Promise.all(
      found.slice(0, limit).map(async (entry) => {
        return { ...entry, fields: await fieldsOf(millrace, key, entry.id) }
      }),
    )
    const next = found.length > limit ? (entries.at(-1)?.id ?? null) : null
    const result = { stream: key, group: group.name, total, entries, next }
    print(json, result, asText(result))
  })
}

/** Null when the stream does not hold it any more. */
async function fieldsOf(millrace: Millrace, stream: string, id: string): Promise<Shown['fields']> {
  const reply = await millrace.send('XRANGE', stream, id, id)
  const entry = Array.isArray(reply) ? reply[0] : undefined
  const flat = Array.isArray(entry) && Array.isArray(entry[1]) ? entry[1].map(String) : undefined
  if (flat === undefined) return null
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []))
}

function asText({
  group,
  total,
  entries,
  next,
}: {
  readonly group: string
  readonly total: number
  readonly entries: readonly Shown[]
  readonly next: string | null
}): string {
  const lines = [
    `Group ${group}: ${countOf(total, 'pending entry', 'pending entries')}, ${written(entries.length)} shown`,
  ]
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
  if (next !== null) lines.push(`More: --from ${next}`)
  return lines.join('\n')
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
