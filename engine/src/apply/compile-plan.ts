/**
 * Compiles a projection's plan to Lua: how the rows of its hashes are checked and written. Names of fields come from the
 * validated declaration, quoted as literals; nothing of an entry is ever part of the source.
 *
 * A row is a Lua table: counters, extremes, then the id and the values of each choice, as `fold.ts` makes it; behind
 * them the key, and what the check leaves for the write: whether each choice wins, and the averages.
 */
import { luaLiteral } from './lua-literal.ts'
import type { Choice, Plan } from '../declare/plan.ts'
import { memberRange, type RankingPlan } from '../declare/ranking.ts'

/** Positions in a row, from 1. */
export interface RowLayout {
  readonly extremesAt: number
  /** Of the id of each choice; its values follow. */
  readonly choicesAt: readonly number[]
  readonly key: number
  readonly winsAt: number
  readonly averagesAt: number
}

export function rowLayout(plan: Plan): RowLayout {
  const extremesAt = plan.counters.length + 1
  const choicesAt: number[] = []
  let at = extremesAt + plan.extremes.length
  for (const choice of plan.choices) {
    choicesAt.push(at)
    at += 1 + choice.fields.length
  }
  const winsAt = at + 1
  return { extremesAt, choicesAt, key: at, winsAt, averagesAt: winsAt + plan.choices.length }
}

/** What `check` fetches of a hash, and where it finds it. */
interface Fetched {
  readonly fields: readonly string[]
  readonly choices: readonly { readonly id: number; readonly time: number; readonly to: number }[]
}

/** Compiles the list `projections`, in the order of the plans. */
export function compilePlans(plans: readonly Plan[]): string {
  return `local projections = {\n${plans.map(compilePlan).join(',\n')}\n}`
}

/** Compiles `{ check = function(rows, reserved, refuse(key, code, at, field)) ... end, write = function(rows) ... end, ... }`. */
function compilePlan(plan: Plan): string {
  const layout = rowLayout(plan)
  const fetched = fetchedOf(plan)
  const choices = plan.choices.map((choice, at) => choiceTable(choice, fetched, at))
  return `(function()
local choices = { ${choices.join(', ')} }
return {
key = ${layout.key},
rankings = { ${plan.rankings.map(({ key }) => luaLiteral(key)).join(', ')} },
${compileCheck(plan, layout, fetched)},
${compileWrite(plan, layout)},
} end)()`
}

function fetchedOf(plan: Plan): Fetched {
  const fields = [...plan.counters, ...plan.extremes].map(({ field }) => field)
  const choices = plan.choices.map((choice) => {
    fields.push(choice.idField)
    const id = fields.length
    const names = choice.fields.map(({ field }) => field)
    // A loaded hash loses to any later entry, so `latest` needs only the time; `first` must see whether one was loaded.
    const wanted = choice.kind === 'first' ? names : names.filter((_, at) => at === choice.timeAt)
    fields.push(...wanted)
    const timeAt = choice.kind === 'first' ? choice.timeAt : 0
    const time = choice.timeAt < 0 ? 0 : id + 1 + timeAt
    return { id, time, to: choice.kind === 'first' ? fields.length : id }
  })
  return { fields, choices }
}

/** What the function `wins` of `integers.lua` needs to know of a choice. */
function choiceTable(choice: Choice, fetched: Fetched, at: number): string {
  const { id, time, to } = fetched.choices[at] ?? { id: 0, time: 0, to: 0 }
  const sign = choice.kind === 'latest' ? 1 : -1
  return `{ sign = ${sign}, id_at = ${id}, time_at = ${time}, loaded_from = ${id + 1}, loaded_to = ${to} }`
}

function compileCheck(plan: Plan, layout: RowLayout, fetched: Fetched): string {
  const request = call('pcall', [
    "'HMGET'",
    `row[${layout.key}]`,
    ...fetched.fields.map(luaLiteral),
  ])
  const counters = plan.counters.map((counter, at) => compileCounter(at + 1, counter))
  const extremes = plan.extremes.map((extreme, at) => {
    return compileExtreme(at + 1 + plan.counters.length, extreme)
  })
  const choices = plan.choices.map((choice, at) => compileChoice(choice, at, layout, fetched))
  const averages = plan.averages.map(({ sumAt, countAt }, at) => {
    return `row[${layout.averagesAt + at}] = rounded_quotient(row[${sumAt + 1}], row[${countAt + 1}])`
  })
  return `check = function(rows, reserved, refuse)
  local pcall, find, match = redis.pcall, string.find, string.match
  for at = 1, #rows do
    local row = rows[at]
    local code, field = reserved[row[${layout.key}]] and 'reserved-key', nil
    repeat
      if code then break end
      local held = ${request}
      if held.err then code = error_code(held.err, 'HMGET') break end
      local have, value, win
${[...counters, ...extremes, ...choices, ...averages].join('\n')}
    until true
    if code then refuse(row[${layout.key}], code, at, field) end
  end
end`
}

// Most sums take the short way: within ±2^51 whatever is added is exact, or it is text, and then the sum is larger.
function compileCounter(at: number, counter: Plan['counters'][number]): string {
  const { field, of, isAveraged } = counter
  // Each entry counts 1: where not even that fits, all of them are refused, however many there are.
  const full = `if code == 'overflow' and not add(have, 1, ${isAveraged}) then code = 'full' end`
  return `      have = held[${at}]
      value = have and #have < 16 and find(have, '^[1-9]%d*$') and have + row[${at}]
      if not value or value > AVERAGED_MAX or value < -AVERAGED_MAX then
        value, code = add(have, row[${at}], ${isAveraged})
        if not value then
          field = ${luaLiteral(field)}
          ${of === undefined ? full : ''}
          break
        end
      end
      row[${at}] = value`
}

// A hash that holds more keeps it, as the text that it is.
function compileExtreme(at: number, { field, kind }: Plan['extremes'][number]): string {
  const better = kind === 'min' ? '<' : '>'
  return `      have = held[${at}]
      if have then
        if not is_integer(have) then
          code, field = 'not-an-integer', ${luaLiteral(field)}
          break
        end
        if not (row[${at}] ${better} tonumber(have)) then row[${at}] = have end
      end`
}

function compileChoice(choice: Choice, at: number, layout: RowLayout, fetched: Fetched): string {
  const { id, time } = fetched.choices[at] ?? { id: 0, time: 0 }
  const idAt = layout.choicesAt[at] ?? 0
  const timeField = choice.fields[choice.timeAt]?.field ?? choice.idField
  const general = `win, code = wins(choices[${at + 1}], row[${idAt}], held)
        if win == nil then
          field = code == 'not-an-id' and ${luaLiteral(choice.idField)} or ${luaLiteral(timeField)}
          break
        end`
  const set = `      row[${layout.winsAt + at}] = win`
  if (time === 0) return `        ${general}\n${set}`
  // Most often the hash holds the time of the entry whose id it holds, and ours is of another millisecond.
  const ours = `row[${idAt + 1 + choice.timeAt}]`
  const better = choice.kind === 'latest' ? '>' : '<'
  return `      have, value = held[${id}], held[${time}]
      win = nil
      if have and value and #have < 36 and #value < 16 and #${ours} < 16 and value ~= ${ours} then
        if match(have, '^([1-9]%d*)%-%d+$') == value then win = ${ours} + 0 ${better} value + 0 end
      end
      if win == nil then
        ${general}
      end
${set}`
}

function compileWrite(plan: Plan, layout: RowLayout): string {
  const totals = [...plan.counters, ...plan.extremes].flatMap(({ field }, at) => {
    return [luaLiteral(field), `row[${at + 1}]`]
  })
  const averages = plan.averages.flatMap(({ field }, at) => {
    return [luaLiteral(field), `row[${layout.averagesAt + at}]`]
  })
  const always = [...totals, ...averages]
  const choices = plan.choices.map(({ idField, fields }, at) => {
    const names = [idField, ...fields.map(({ field }) => field)]
    const from = layout.choicesAt[at] ?? 0
    return names.flatMap((name, value) => [luaLiteral(name), `row[${from + value}]`])
  })
  return `write = function(rows)
  local call = redis.call
  for at = 1, #rows do
    local row = rows[at]
${variants(always, choices, layout, 0, '    ')}
  end
${plan.rankings.map((ranking) => compileRanking(plan, ranking, layout)).join('')}end`
}

/** The final value of each field stands in the row, so the score is there, too. */
function compileRanking({ key }: Plan, ranking: RankingPlan, layout: RowLayout): string {
  const starts = { counters: 1, extremes: layout.extremesAt, averages: layout.averagesAt }
  const scoreAt = starts[ranking.from] + ranking.at
  const places = [scoreAt, layout.key, ...memberRange(key)].join(', ')
  return `  write_ranking(${luaLiteral(ranking.key)}, rows, ${places})\n`
}

/** One HSET for each case of choices that win or lose, so that the arguments stand in the source. */
function variants(
  args: readonly string[],
  choices: readonly (readonly string[])[],
  layout: RowLayout,
  at: number,
  indent: string,
): string {
  const choice = choices[at]
  if (choice === undefined) {
    if (args.length === 0) return ''
    return `${indent}${call('call', ["'HSET'", `row[${layout.key}]`, ...args])}`
  }
  const wins = variants([...args, ...choice], choices, layout, at + 1, `${indent}  `)
  const loses = variants(args, choices, layout, at + 1, `${indent}  `)
  return `${indent}if row[${layout.winsAt + at}] then\n${wins}\n${indent}else\n${loses}\n${indent}end`
}

// A function of Lua has 250 registers.
const directMax = 150

function call(callee: string, args: readonly string[]): string {
  const list = args.join(', ')
  return args.length <= directMax ? `${callee}(${list})` : `${callee}(unpack({ ${list} }))`
}
