/**
 * Compiles a projection's plan to Lua: how the rows of its hashes are checked and written. Names of fields come from the
 * validated declaration, quoted as literals; nothing of an entry is ever part of the source. A row is laid out by `row-layout.ts`.
 */
import type { Plan } from '../declare/plan.ts'
import { memberRange, type RankingPlan } from '../declare/ranking.ts'
import { luaLiteral } from '../support/lua-literal.ts'
import { rowLayout, type PlacedColumn, type RowLayout } from './row-layout.ts'

/** Compiles the list `projections`, in the order of the plans. */
export function compilePlans(plans: readonly Plan[]): string {
  return `local projections = {\n${plans.map(compilePlan).join(',\n')}\n}`
}

/** Compiles `{ check = function(rows, reserved, refuse(key, code, at, field)) ... end, write = function(rows) ... end, ... }`. */
function compilePlan(plan: Plan): string {
  const layout = rowLayout(plan)
  const constants = layout.columns.flatMap(({ column, at }) => column.constant?.(at) ?? [])
  return `(function()
local constants = { ${constants.join(', ')} }
return {
key = ${layout.key},
rankings = { ${plan.rankings.map(({ key }) => luaLiteral(key)).join(', ')} },
${compileCheck(layout)},
${compileWrite(plan, layout)},
} end)()`
}

function compileCheck({ columns, key }: RowLayout): string {
  const fetched = columns.flatMap(({ column }) => column.fetched.map(luaLiteral))
  const request = call('pcall', ["'HMGET'", `row[${key}]`, ...fetched])
  return `check = function(rows, reserved, refuse)
  local pcall, find, match = redis.pcall, string.find, string.match
  for at = 1, #rows do
    local row = rows[at]
    local code, field = reserved[row[${key}]] and 'reserved-key', nil
    repeat
      if code then break end
      local held = ${request}
      if held.err then code = error_code(held.err, 'HMGET') break end
      local have, value, win
${columns.map(({ column, at }) => column.check(at)).join('\n')}
    until true
    if code then refuse(row[${key}], code, at, field) end
  end
end`
}

function compileWrite(plan: Plan, layout: RowLayout): string {
  const isAlways = ({ column, at }: PlacedColumn): boolean => !column.written(at).ifLeft
  const always = layout.columns.filter(isAlways).flatMap(writtenArgs)
  const perhaps = layout.columns.filter((placed) => !isAlways(placed))
  return `write = function(rows)
  local call = redis.call
  for at = 1, #rows do
    local row = rows[at]
${variants(always, perhaps, layout.key, '    ')}
  end
${plan.rankings.map((ranking) => compileRanking(plan, ranking, layout)).join('')}end`
}

/** Names and values in turn, as HSET takes them. */
function writtenArgs({ column, at }: PlacedColumn): string[] {
  return column.written(at).fields.flatMap(([field, position]) => {
    return [luaLiteral(field), `row[${position}]`]
  })
}

/** The final value of each field stands in the row, so the score is there, too. */
function compileRanking(
  { key }: Plan,
  { key: ranking, field }: RankingPlan,
  { key: keyAt, finalOf }: RowLayout,
): string {
  const positions = [finalOf(field), keyAt, ...memberRange(key)].join(', ')
  return `  write_ranking(${luaLiteral(ranking)}, rows, ${positions})\n`
}

/** One HSET for each case of columns that are written or not, so that the arguments stand in the source. */
function variants(
  args: readonly string[],
  [column, ...others]: readonly PlacedColumn[],
  key: number,
  indent: string,
): string {
  if (column === undefined) {
    if (args.length === 0) return ''
    return `${indent}${call('call', ["'HSET'", `row[${key}]`, ...args])}`
  }
  const wins = variants([...args, ...writtenArgs(column)], others, key, `${indent}  `)
  const loses = variants(args, others, key, `${indent}  `)
  return `${indent}if row[${column.at.left}] then\n${wins}\n${indent}else\n${loses}\n${indent}end`
}

// A function of Lua has 250 registers.
const directMax = 150

function call(callee: string, args: readonly string[]): string {
  const list = args.join(', ')
  return args.length <= directMax ? `${callee}(${list})` : `${callee}(unpack({ ${list} }))`
}
