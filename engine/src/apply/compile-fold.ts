/**
 * Compiles the fold of push-down: a Lua function that decodes the entries of a batch and folds them to one row per
 * hash (see `compile-plan.ts`), by the same rules as `stream.ts`, `fields.ts` and `fold.ts`.
 */
import { compileDecode } from './compile-decode.ts'
import { boundsOf, isEncodedInKeys, type Field } from '../declare/fields.ts'
import type { Plan } from '../declare/plan.ts'
import type { Stream } from '../declare/stream.ts'
import type { EntryInLua } from '../operators/column.ts'
import { luaLiteral } from '../support/lua-literal.ts'
import { pushDownMax } from './push-down-limits.ts'
import { rowLayout } from './row-layout.ts'

/** A declared field, and what the fold knows of it: `a<n>` is its text, `m<n>` what was made of that once a batch. */
interface FieldInFold {
  readonly name: string
  readonly field: Field
  readonly n: number
  /** Some value of it is used as a number, or stands percent-encoded in a key of several parts. */
  isMade: boolean
  /** The projections whose keys it makes alone: an entry that finds its row there has a text that was checked. */
  readonly plans: number[]
}

/**
 * Compiles
 *   decode(flat)   problem, or nil and the texts of the declared fields in their order
 *   begin_fold()   the state of a fold that has taken nothing yet
 *   fold(state, entries, from, to, skipped)   takes the entries from one position to another
 *   rows_of(state) rows per plan, problems by position, number of entries folded; ends the fold
 *   keys_of(flat)  the keys that an entry touches, in the order of the plans
 */
export function compileFold(declared: Stream, plans: readonly Plan[]): string {
  const fields = fieldsOf(declared, plans)
  const texts = list(fields, ({ n }) => `a${n}`)
  const states = plans.map((_, at) => at + 1)
  // In the state: what was made of texts for each field, then rows by what they are found by, rows and their number for each plan.
  const place = (n: number, what: number): string => `state[${fields.length + 3 * n - 3 + what}]`
  const inOrder = fields.map(({ name, n }) => `f[${2 * n - 1}] == ${luaLiteral(name)}`)
  const made = fields.filter(isMemoised)
  const behind = 2 * fields.length + 1
  return `${compileDecode(declared)}
local function holds_only_others(flat, from)
  for at = from, #flat, 2 do
    if field_at[flat[at]] then return false end
  end
  return true
end
local function keys_of(flat)
  local _, ${texts} = decode(flat)
  return { ${list(plans, (plan) => keyOf(fields, plan, ({ n }) => `percent_encoded(a${n})`))} }
end
local function begin_fold()
  return { ${list([...fields.map(() => '{}'), ...plans.map(() => '{}, {}, 0')], String)}, problems = {}, folded = 0 }
end
local function fold(state, entries, from, to, skipped)
  ${fields.map(({ n }) => `local M${n} = state[${n}]`).join(' ')}
  ${states.map((n) => `local S${n}, R${n}, n${n} = ${place(n, 1)}, ${place(n, 2)}, ${place(n, 3)}`).join('\n  ')}
  local problems, folded = state.problems, state.folded
  for at = from, to do
    if not skipped[at] then
      local entry = entries[at]
      local f = entry[2]
      local problem, ${texts}
      -- Entries that were appended by the declaration have its order, and what they carry beyond it (a trace) behind that.
      if ${inOrder.join(' and ')} and (not f[${behind}] or holds_only_others(f, ${behind})) then
        ${texts} = ${list(fields, ({ n }) => `f[${2 * n}]`)}
      else
        problem, ${texts} = decode(f)
      end
      if not problem then
${plans.map((plan, at) => compileLookUp(fields, plan, at)).join('')}${made.map(compileMake).join('')}        if ${fields.map(validity).join(' and ')} then
          folded = folded + 1
${plans.map((plan, at) => compilePlanFold(fields, plan, at)).join('')}        else
          problem = decode(f)
        end
      end
      problems[at] = problem
    end
  end
  ${states.map((n) => `${place(n, 3)} = n${n}`).join(' ')}
  state.folded = folded
end
local function rows_of(state)
  ${states.map((n) => `local R${n} = ${place(n, 2)}`).join(' ')}
${plans.map(compileEnd).join('')}  return { ${list(states, (n) => `R${n}`)} }, state.problems, state.folded
end`
}

function list<Item>(items: readonly Item[], text: (item: Item) => string): string {
  return items.map(text).join(', ')
}

function fieldsOf(declared: Stream, plans: readonly Plan[]): FieldInFold[] {
  const fields = Object.entries(declared.fields).map(([name, field], at): FieldInFold => {
    return { name, field, n: at + 1, isMade: false, plans: [] }
  })
  for (const [at, plan] of plans.entries()) {
    for (const { of, as } of plan.columns.flatMap(({ readings }) => readings)) {
      if (as === 'integer') fieldOf(fields, of).isMade = true
    }
    const single = singleOf(fields, plan)
    if (single !== undefined) single.plans.push(at + 1)
    else for (const { name } of plan.key.parts) fieldOf(fields, name).isMade = true
  }
  return fields
}

function fieldOf(fields: readonly FieldInFold[], name: string): FieldInFold {
  const found = fields.find((field) => field.name === name)
  if (found === undefined) throw new TypeError(`Cannot compile: no field "${name}"`) // The plan was checked.
  return found
}

/** The field that makes the key alone: its text is as good as the key to find a row by. */
function singleOf(fields: readonly FieldInFold[], { key }: Plan): FieldInFold | undefined {
  const [part] = key.parts
  return key.parts.length === 1 && part !== undefined ? fieldOf(fields, part.name) : undefined
}

const isMemoised = ({ isMade, plans }: FieldInFold): boolean => isMade || plans.length === 0

function check({ field, n }: FieldInFold): string {
  const bounds = boundsOf(field)
  if (bounds === undefined) return `is_utf8(a${n})`
  return `integer_within(a${n}, ${bounds.min}, ${bounds.max})`
}

/** Each text is checked once a batch. */
function compileMake(field: FieldInFold): string {
  const { n, isMade } = field
  const isEncoded = isMade && isEncodedInKeys(field.field)
  return `        local m${n} = M${n}[a${n}]
        if m${n} == nil then
          m${n} = ${check(field)}${isEncoded ? ` and percent_encoded(a${n})` : ''}
          M${n}[a${n}] = m${n}
        end
`
}

function validity(field: FieldInFold): string {
  if (isMemoised(field)) return `m${field.n}`
  return `(s${field.plans[0] ?? 0} or ${check(field)})`
}

function compileLookUp(fields: readonly FieldInFold[], plan: Plan, at: number): string {
  const single = singleOf(fields, plan)
  return single === undefined ? '' : `        local s${at + 1} = S${at + 1}[a${single.n}]\n`
}

/** @param encoded what stands in a key for a text. */
function keyOf(
  fields: readonly FieldInFold[],
  { key }: Plan,
  encoded: (field: FieldInFold) => string,
): string {
  const parts = key.parts.flatMap(({ name, isText }, at) => {
    const field = fieldOf(fields, name)
    const literal = key.literals[at + 1] ?? ''
    const value = isText ? encoded(field) : `a${field.n}`
    return literal === '' ? [value] : [value, luaLiteral(literal)]
  })
  return [luaLiteral(key.literals[0] ?? ''), ...parts].join(' .. ')
}

function compilePlanFold(fields: readonly FieldInFold[], plan: Plan, at: number): string {
  const n = at + 1
  const single = singleOf(fields, plan)
  const key = keyOf(fields, plan, (field) =>
    field.isMade ? `m${field.n}` : `percent_encoded(a${field.n})`,
  )
  const found =
    single === undefined
      ? `          local k${n} = ${key}\n          local s${n} = S${n}[k${n}]\n`
      : ''
  const entry = entryInLua(fields)
  const begun = plan.columns.flatMap((column) => column.beginInLua(entry))
  const first = [...begun, single === undefined ? `k${n}` : key]
  // Room for what the check adds: a table that grows is made anew.
  const left = plan.columns.flatMap(({ leaves }) => Array.from({ length: leaves }, () => 'false'))
  return `${found}          if s${n} then
${foldRow(fields, plan, `s${n}`)
  .map((line) => `            ${line}\n`)
  .join('')}          else
            s${n} = { ${[...first, ...left].join(', ')} }
            S${n}[${single === undefined ? `k${n}` : `a${single.n}`}] = s${n}
            n${n} = n${n} + 1
            R${n}[n${n}] = s${n}
          end
`
}

function entryInLua(fields: readonly FieldInFold[]): EntryInLua {
  return {
    id: 'entry[1]',
    text: (name) => `a${fieldOf(fields, name).n}`,
    integer: (name) => `m${fieldOf(fields, name).n}`,
    isSmall: (name) => isSmall(fieldOf(fields, name).field),
  }
}

function foldRow(fields: readonly FieldInFold[], plan: Plan, row: string): string[] {
  const entry = entryInLua(fields)
  return rowLayout(plan).columns.flatMap(({ column, at }) => {
    return column.foldInLua((value) => `${row}[${at.values + value}]`, entry)
  })
}

/** Whether no batch can sum this field up to 2^53. */
function isSmall(field: Field): boolean {
  const bounds = boundsOf(field)
  if (bounds === undefined) return false
  const most = Math.max(Math.abs(bounds.min), Math.abs(bounds.max))
  return most * pushDownMax <= Number.MAX_SAFE_INTEGER
}

/** What is made once for each row, not for each entry. */
function compileEnd(plan: Plan, planAt: number): string {
  const statements = rowLayout(plan).columns.flatMap(({ column, at }) => {
    return column.endInLua?.((value) => `row[${at.values + value}]`) ?? []
  })
  if (statements.length === 0) return ''
  const lines = statements.map((statement) => `    ${statement}\n`).join('')
  return `  for _, row in ipairs(R${planAt + 1}) do\n${lines}  end\n`
}
