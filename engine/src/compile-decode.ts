/** Compiles `Decoder.decode` of `stream.ts` to Lua: the same problems, in the same words, in the same order. */
import { printable } from './dead-letter.ts'
import { luaLiteral } from './lua-literal.ts'
import { decodeProblems, type Stream } from './stream.ts'

/** Compiles `decode(flat)`: a problem, or nil and the texts of the declared fields in their order. */
export function compileDecode(declared: Stream): string {
  const fields = Object.entries(declared.fields)
  const places = fields.map(([name], at) => `[${luaLiteral(name)}] = ${at + 1}`)
  const rows = fields.map(([name, field]) => {
    const { wrong, twice, missing } = decodeProblems(name, field)
    const range = field.kind === 'integer' ? `${field.min}, ${field.max}` : 'false, false'
    return `  { ${range}, ${[wrong, twice, missing].map(printable).map(luaLiteral).join(', ')} },`
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
      if texts[index] then return field[4] end
      local is_right
      if field[1] then is_right = integer_within(text, field[1], field[2]) else is_right = is_utf8(text) end
      if not is_right then return field[3] end
      texts[index] = text
    end
  end
  for index = 1, ${fields.length} do
    if not texts[index] then return fields[index][5] end
  end
  return nil, unpack(texts, 1, ${fields.length})
end`
}
