/**
 * Choices: `first` and `latest`. Promise: all fields of a projection under one of them hold values of one entry, the one
 * with the smallest or largest id, whatever the order in which entries come.
 */
import { compareIds, timeOf } from '../support/entry-id.ts'
import { luaLiteral } from '../support/lua-literal.ts'
import type {
  Column,
  EntryInLua,
  Family,
  FoldedEntry,
  Positions,
  Reading,
  Row,
  Written,
} from './column.ts'
import { integerOf, type PlainStep, type RefusalCode } from './plainly.ts'
import { nameProblem } from './reading.ts'

/** The time of an entry: the milliseconds of its id. */
interface EntryTime {
  readonly kind: 'entry-time'
}

/** Where a choice takes its value from: the name of a field, or the entry's time. */
export type Source<Name extends string = string> = Name | EntryTime

/** The value of the entry with the smallest or largest id. */
export type Choice<Name extends string = string> =
  | { readonly kind: 'first'; readonly of: Source<Name> }
  | { readonly kind: 'latest'; readonly of: Source<Name> }

/**
 * The value of the entry with the smallest id. All `first` fields of a projection move together. A hash that was
 * loaded before its first entry keeps its values, unless one of them is `first(entryTime())` and says that they are
 * younger than the entry.
 */
export const first = <const S extends Source>(
  of: S,
): { readonly kind: 'first'; readonly of: S } => ({
  kind: 'first',
  of,
})

/**
 * The value of the entry with the largest id. All `latest` fields of a projection move together. A hash that was
 * loaded before its first entry loses its values to any entry, unless one of them is `latest(entryTime())`: then only
 * an entry of a later millisecond replaces them.
 */
export const latest = <const S extends Source>(
  of: S,
): { readonly kind: 'latest'; readonly of: S } => ({
  kind: 'latest',
  of,
})

/** The time of the entry in milliseconds, for `first` and `latest`. */
export const entryTime = (): EntryTime => ({ kind: 'entry-time' })

export const choices: Family<Choice> & { readonly isRankable: false } = {
  isRankable: false,
  problem: ({ kind, of }) =>
    isEntryTime(of) ? undefined : nameProblem(kind, of, ', or entryTime()'),
  operandsOf: () => [],
  columnsOf: (declared) =>
    (['latest', 'first'] as const).flatMap((kind) => {
      const fields = declared.filter(([, operator]) => operator.kind === kind)
      if (fields.length === 0) return []
      return [
        new ChoiceColumn(
          kind,
          fields.map(([field, { of }]) => ({ field, of })),
        ),
      ]
    }),
  foldPlainly: (step, declared) =>
    choosePlainly(step, 'latest', declared) ?? choosePlainly(step, 'first', declared),
  samples: (number, text) => ({ latest: latest(number), first: first(text) }),
}

/** All fields under one choice come from one entry, so they are asked once, of the hash as it was before. */
function choosePlainly(
  { before, after, entry }: PlainStep,
  kind: Choice['kind'],
  declared: readonly (readonly [field: string, operator: Choice])[],
): RefusalCode | undefined {
  const fields = declared.filter(([, operator]) => operator.kind === kind)
  if (fields.length === 0) return undefined
  const heldId = before.get(`@${kind}`)
  if (heldId !== undefined && !/^\d{1,20}-\d{1,20}$/.test(heldId)) return 'not-an-id'
  const timeField = fields.find(([, { of }]) => typeof of !== 'string')?.[0]
  const heldTimeText = timeField === undefined ? undefined : before.get(timeField)
  const heldTime = heldTimeText === undefined ? undefined : integerOf(heldTimeText)
  if (heldTimeText !== undefined && heldTime === undefined) return 'not-an-integer'
  const isLoaded = fields.some(([field]) => before.has(field))
  if (!winsPlainly(kind, entry.id, heldId, heldTime, isLoaded)) return undefined
  after.set(`@${kind}`, entry.id)
  for (const [field, { of }] of fields) {
    after.set(field, typeof of === 'string' ? String(entry.values[of]) : timeOf(entry.id))
  }
  return undefined
}

/** Whether an entry replaces what the hash holds: by its id, and by the time that a loaded hash claims for itself. */
function winsPlainly(
  kind: Choice['kind'],
  id: string,
  heldId: string | undefined,
  heldTime: bigint | undefined,
  isLoaded: boolean,
): boolean {
  const time = BigInt(timeOf(id))
  if (kind === 'latest') {
    if (heldId === undefined) return heldTime === undefined || time > heldTime
    return compareIds(id, heldId) > 0 && (heldTime === undefined || time >= heldTime)
  }
  if (heldId === undefined) return heldTime === undefined ? !isLoaded : time < heldTime
  return compareIds(id, heldId) < 0 && (heldTime === undefined || time <= heldTime)
}

function isEntryTime(of: unknown): boolean {
  return typeof of === 'object' && of !== null && 'kind' in of && of.kind === 'entry-time'
}

interface ChosenField {
  readonly field: string
  readonly of: Source
}

/** Its values: the id of the chosen entry, then those of its fields. It leaves whether that entry wins over the hash. */
class ChoiceColumn implements Column {
  readonly width: number
  readonly leaves = 1
  readonly readings: readonly Reading[]
  readonly definition: readonly (readonly unknown[])[]
  readonly fetched: readonly string[]
  readonly #kind: Choice['kind']
  /** Field of the hash that keeps the id of the chosen entry: `@first` or `@latest`. */
  readonly #idField: string
  readonly #fields: readonly ChosenField[]
  /** Position in the fields of the one that holds the entry's time; -1 when there is none. */
  readonly #timeAt: number

  constructor(kind: Choice['kind'], fields: readonly ChosenField[]) {
    this.#kind = kind
    this.#idField = `@${kind}`
    this.#fields = fields
    this.#timeAt = fields.findIndex(({ of }) => typeof of !== 'string')
    this.width = 1 + fields.length
    this.readings = fields.flatMap(({ field, of }) =>
      typeof of === 'string' ? [{ field, of, as: 'text' }] : [],
    )
    this.definition = fields.map(({ field, of }) => [field, kind, of])
    const names = fields.map(({ field }) => field)
    // A loaded hash loses to any later entry, so `latest` needs only the time; `first` must see whether one was loaded.
    this.fetched = [
      this.#idField,
      ...(kind === 'first' ? names : names.filter((_, at) => at === this.#timeAt)),
    ]
  }

  begin(row: Row, entry: FoldedEntry): void {
    row.push(entry.id)
    for (const { of } of this.#fields) row.push(chosen(of, entry))
  }

  fold(row: Row, at: number, entry: FoldedEntry): void {
    const order = compareIds(entry.id, String(row[at]))
    if (this.#kind === 'latest' ? order <= 0 : order >= 0) return
    row[at] = entry.id
    for (const [value, { of }] of this.#fields.entries()) row[at + 1 + value] = chosen(of, entry)
  }

  // The time is that of the id, and made once for each row.
  beginInLua({ id, text }: EntryInLua): readonly string[] {
    return [id, ...this.#fields.map(({ of }) => (typeof of === 'string' ? text(of) : 'false'))]
  }

  // Entries come in the order of their ids: the last one is the latest, and the first was there before.
  foldInLua(value: (at: number) => string, { id, text }: EntryInLua): readonly string[] {
    if (this.#kind === 'first') return []
    const values = this.#fields.flatMap(({ of }, at) =>
      typeof of === 'string' ? [`${value(1 + at)} = ${text(of)}`] : [],
    )
    return [`${value(0)} = ${id}`, ...values]
  }

  endInLua(value: (at: number) => string): readonly string[] {
    const id = value(0)
    return this.#fields.flatMap(({ of }, at) => {
      if (typeof of === 'string') return []
      return [`${value(1 + at)} = string.sub(${id}, 1, string.find(${id}, '-', 1, true) - 1)`]
    })
  }

  /** What the function `wins` of `lua/parts/integers.lua` needs to know. */
  constant({ held }: Positions): string {
    const sign = this.#kind === 'latest' ? 1 : -1
    const loadedTo = this.#kind === 'first' ? held + this.#fields.length : held
    return `{ sign = ${sign}, id_at = ${held}, time_at = ${this.#heldTimeAt(held)}, loaded_from = ${held + 1}, loaded_to = ${loadedTo} }`
  }

  /** Position of the hash's time in `held`; 0 for none. */
  #heldTimeAt(held: number): number {
    if (this.#timeAt < 0) return 0
    return held + 1 + (this.#kind === 'first' ? this.#timeAt : 0)
  }

  check({ values, left, held, constant }: Positions): string {
    const timeField = this.#fields[this.#timeAt]?.field ?? this.#idField
    const general = `win, code = wins(constants[${constant}], row[${values}], held)
        if win == nil then
          field = code == 'not-an-id' and ${luaLiteral(this.#idField)} or ${luaLiteral(timeField)}
          break
        end`
    const set = `      row[${left}] = win`
    const time = this.#heldTimeAt(held)
    if (time === 0) return `        ${general}\n${set}`
    // Most often the hash holds the time of the entry whose id it holds, and ours is of another millisecond.
    const ours = `row[${values + 1 + this.#timeAt}]`
    const better = this.#kind === 'latest' ? '>' : '<'
    return `      have, value = held[${held}], held[${time}]
      win = nil
      if have and value and #have < 36 and #value < 16 and #${ours} < 16 and value ~= ${ours} then
        if match(have, '^([1-9]%d*)%-%d+$') == value then win = ${ours} + 0 ${better} value + 0 end
      end
      if win == nil then
        ${general}
      end
${set}`
  }

  written({ values }: Positions): Written {
    const names = [this.#idField, ...this.#fields.map(({ field }) => field)]
    return { ifLeft: true, fields: names.map((field, at) => [field, values + at]) }
  }

  finalAt(): undefined {
    return undefined
  }
}

function chosen(of: Source, entry: FoldedEntry): string {
  return typeof of === 'string' ? String(entry.values[of]) : timeOf(entry.id)
}
