-- Claims entries that were idle for too long, one step of a walk over the pending entries list. An entry whose body
-- was trimmed or deleted cannot be claimed: Redis drops it from the list here, so it leaves a dead letter.
-- KEYS[1] stream  KEYS[2] dead-letter stream
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] least idle time (ms)  ARGV[4] cursor  ARGV[5] count
-- Returns { next cursor ('0-0': the walk is done), { entry ... }, { lost id ... } } or { 'error', code }.

local claimed = redis.pcall('XPENDING', KEYS[1], ARGV[1])
if claimed.err then return { 'error', error_code(claimed.err) } end
local problem = check_dead_letters(KEYS[2])
if problem then return { 'error', problem } end

claimed = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], 'COUNT', ARGV[5])
local letters = {}
for _, id in ipairs(claimed[3] or {}) do
  letters[#letters + 1] = { id, 'lost', 'the entry was trimmed or deleted before it was processed' }
end
if #letters > 0 then write_dead_letters(KEYS[1], KEYS[2], ARGV[2], letters) end
return claimed
