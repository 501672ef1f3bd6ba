#!lua flags=allow-oom
-- Sets the idle time of pending entries that are still this consumer's: a large one gives them back, since any consumer
-- may claim them at once. The delivery count stays.
-- KEYS[1] stream
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] idle time (ms)  ARGV[4...] ids
-- Returns { how many of the ids were dealt with } or { 'error', code }. With large entries it is called again for the rest.
-- Guards:
--   owner: leaves an entry alone that is not this consumer's any more
--   body: keeps an entry pending whose body is gone
--   rights: has all rights before its first write
-- @include parts/checks
-- @include parts/read-in-steps

local problem = check_permissions({ 'XCLAIM', KEYS[1], ARGV[1], ARGV[2], '0', '0-1' })
if problem then return { 'error', problem } end
local at = 4
while ARGV[at] and bytes_left > 0 do
  -- XCLAIM by itself would take entries back from a consumer that has claimed them.
  local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[at], ARGV[at], 1, ARGV[2])
  if held.err then return { 'error', error_code(held.err, 'XPENDING', KEYS[1]) } end
  -- XCLAIM would drop an entry without a body from the list; so it stays for claim.lua, which reports it.
  local entry = held[1] and redis.call('XRANGE', KEYS[1], ARGV[at], ARGV[at])[1]
  if entry then
    bytes_left = bytes_left - size_of(entry)
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[at], 'IDLE', ARGV[3], 'JUSTID')
  end
  at = at + 1
end
return { at - 4 }
