#!lua flags=no-writes,allow-oom
-- Looks for the dead letter of an entry: one step of a walk towards newer letters, bounded in letters and in bytes. Writes
-- nothing.
-- KEYS[1] dead-letter stream  ARGV[1] entry id  ARGV[2] letters to look at
-- ARGV[3] letter to begin after; empty: the first one that can be the entry's. It was written after the entry was
--         appended, by the same clock; where that clock was set back meanwhile, the walk begins with the oldest letter.
-- Returns { letter } as XRANGE returns it, { '', id to begin after next, letters and bytes that were looked at }, { '' } at
-- the end, or { 'error', code }.
-- Guards:
--   clock: finds the letter of an entry that came before the clock was set back
-- @include parts/checks
-- @include parts/read-in-steps

local dead, id, count = KEYS[1], ARGV[1], tonumber(ARGV[2])
local start = ARGV[3] ~= '' and '(' .. ARGV[3]
if not start then
  local appended_at = string.match(id, '^%d+')
  start = tonumber(appended_at) <= now_ms() and appended_at or '-'
end
local found
local looked, last, is_end = read_in_steps('XRANGE', dead, start, '+', count, function(letter)
  local body = letter[2]
  -- What is about the entry stands before its fields, so a field cannot pass for it.
  for at = 1, #body, 2 do
    if body[at] == 'packed' or string.sub(body[at], 1, 6) == 'field:' then return false end
    if body[at] == 'id' and body[at + 1] == id then
      found = letter
      return true
    end
  end
end)
if not looked then return { 'error', last } end
if found then return { found } end
return is_end and { '' } or { '', last, looked, BYTES_MAX - bytes_left }
