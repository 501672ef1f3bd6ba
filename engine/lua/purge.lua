#!lua flags=allow-oom
-- Deletes dead letters and counts them.
-- KEYS[1] dead-letter stream  KEYS[2] ledger
-- ARGV[1...] ids of letters
-- Returns { 'purged', one 1 (deleted) or 0 (there was none) per id } or { 'error', code }.
-- Guards:
--   counted: deletes nothing that it cannot count
--   once: counts only what this call has deleted
-- @include parts/checks

local held = redis.pcall('HGET', KEYS[2], 'purged')
if type(held) == 'table' then return { 'error', error_code(held.err, 'HGET', KEYS[2]) } end
local problem = check_permissions({ 'XDEL', KEYS[1], '0-1' }, { 'HSET', KEYS[2], 'purged', '0' })
if problem then return { 'error', problem } end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'stream' then return { 'error', wrong_type(KEYS[1]) } end
local reply, purged = { 'purged' }, 0
for at, id in ipairs(ARGV) do
  reply[at + 1] = redis.call('XDEL', KEYS[1], id)
  purged = purged + reply[at + 1]
end
if purged > 0 then redis.call('HSET', KEYS[2], 'purged', (tonumber(held or 0) or 0) + purged) end
return reply
