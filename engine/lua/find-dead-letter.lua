-- Looks for the dead letter of an entry: one bounded step of a walk towards newer letters. Writes nothing.
-- KEYS[1] dead-letter stream  ARGV[1] entry id  ARGV[2] letters to look at
-- ARGV[3] letter to begin after; empty: the first one that can be the entry's. It was written after the entry was
--         appended, by the same clock; where that clock was set back meanwhile, the walk begins with the oldest letter.
-- Returns { letter } as XRANGE returns it, { '', id to begin after next }, { '' } at the end, or { 'error', code }.

local dead, id, count = KEYS[1], ARGV[1], tonumber(ARGV[2])
local start = ARGV[3] ~= '' and '(' .. ARGV[3]
if not start then
  local appended_at = string.match(id, '^%d+')
  start = tonumber(appended_at) <= now_ms() and appended_at or '-'
end
local letters = redis.pcall('XRANGE', dead, start, '+', 'COUNT', count)
if letters.err then return { 'error', error_code(letters.err, 'XRANGE', dead) } end
for _, letter in ipairs(letters) do
  local body = letter[2]
  -- What is about the entry stands before its fields, so a field cannot pass for it.
  for at = 1, #body, 2 do
    if body[at] == 'packed' or string.sub(body[at], 1, 6) == 'field:' then break end
    if body[at] == 'id' and body[at + 1] == id then return { letter } end
  end
end
if #letters < count then return { '' } end
return { '', letters[#letters][1] }
