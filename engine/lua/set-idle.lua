-- Sets the idle time of pending entries that are still this consumer's: a large one gives them back, since any consumer
-- may claim them at once. The delivery count stays.
-- KEYS[1] stream
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] idle time (ms)  ARGV[4...] ids
-- Returns the ids that are not this consumer's any more, or { 'error', code }.

local problem = check_permissions({ 'XCLAIM', KEYS[1], ARGV[1], ARGV[2], '0', '0-1' })
if problem then return { 'error', problem } end
local lost = {}
for at = 4, #ARGV do
  -- XCLAIM by itself would take entries back from a consumer that has claimed them.
  local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[at], ARGV[at], 1, ARGV[2])
  if held.err then return { 'error', error_code(held.err, 'XPENDING', KEYS[1]) } end
  if #held == 0 then
    lost[#lost + 1] = ARGV[at]
  elseif #redis.call('XRANGE', KEYS[1], ARGV[at], ARGV[at]) == 1 then
    -- XCLAIM would drop an entry without a body from the list; so it stays for claim.lua, which reports it.
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[at], 'IDLE', ARGV[3], 'JUSTID')
  end
end
return lost
