/** Compiles `Decoder.decode` of `stream.ts` to Lua: the same problems, in the same words, in the same order. */
import { luaLiteral } from '../support/lua-literal.ts'
import { boundsOf } from '../declare/fields.ts'
import { decodeProblems, missingMax, type Stream } from '../declare/stream.ts'
import { printable } from '../scripts/dead-letters.ts'

/** Compiles `decode(flat)`: a problem, or nil and the texts of the declared fields in their order. */
export function compileDecode(declared: Stream): string {
  const fields = Object.entries(declared.fields)
  const places = fields.map(([name], at) => `[${luaLiteral(name)}] = ${at + 1}`)
  const rows = fields.map(([name, field]) => {
    const { wrong, wrongNumber, twice } = decodeProblems(name, field)
    const { min = false, max = false } = boundsOf(field) ?? {}
    const texts = [wrong, wrongNumber, twice, `"${name}"`].map(printable).map(luaLiteral)
    return `  { ${min}, ${max}, ${texts.join(', ')} },`
  })
  return `local field_at = { ${places.join(', ')} }
local fields = {
${rows.join('\n')}
}
local function decode(flat)
  local texts = {}
  for at = 1, #flat, 2 do
    local index = field_at[flat[at]]
    if index then
      local text, field = flat[at + 1], fields[index]
      if texts[index] then return field[5] end
      local is_right
      if field[1] then is_right = integer_within(text, field[1], field[2]) else is_right = is_utf8(text) end
      if not is_right then return field[1] and is_digits(text) and field[4] .. text or field[3] end
      texts[index] = text
    end
  end
  local missing = {}
  for index = 1, ${fields.length} do
    if not texts[index] then missing[#missing + 1] = fields[index][6] end
  end
  if missing[1] then return missing_text(missing, ${missingMax}) end
  return nil, unpack(texts, 1, ${fields.length})
end`
}
