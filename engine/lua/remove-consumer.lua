-- Removes a consumer without losing what is pending for it: moves its entries to a parking consumer, from which the next
-- sweep claims them, and deletes it once it is empty. A step: called again until it is removed. Entries whose body is
-- gone leave a dead letter.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders  KEYS[4] dead-letter stream
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] parking consumer  ARGV[4] entries to move at most  ARGV[5] idle time (ms)
-- Returns { 'removed', moved }, { 'moved', moved } when some are left, { 'alive', ms left, holder JSON }, { 'missing' }
-- or { 'error', code }.

local group, name = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], group)
if consumers.err then return { 'error', error_code(consumers.err) } end
local is_known = false
for _, flat in ipairs(consumers) do
  if flat[2] == name then is_known = true end
end
if not is_known then return { 'missing' } end
local ends = tonumber(redis.call('ZSCORE', KEYS[2], name) or nil)
if ends and ends > now then return { 'alive', ends - now, redis.call('HGET', KEYS[3], name) or '{}' } end

local problem = check_dead_letters(KEYS[4])
if problem then return { 'error', problem } end
local rows = redis.call('XPENDING', KEYS[1], group, '-', '+', ARGV[4], name)
local letters = {}
for _, row in ipairs(rows) do
  if #redis.call('XRANGE', KEYS[1], row[1], row[1]) == 1 then
    redis.call('XCLAIM', KEYS[1], group, ARGV[3], 0, row[1], 'IDLE', ARGV[5], 'JUSTID')
  else
    letters[#letters + 1] = { row[1], 'lost', 'the entry was trimmed or deleted before it was processed' }
  end
end
write_dead_letters(KEYS[1], KEYS[4], name, letters)
for _, letter in ipairs(letters) do
  redis.call('XACK', KEYS[1], group, letter[1])
end
if #rows == tonumber(ARGV[4]) then return { 'moved', #rows - #letters } end
-- Empty, in this same call: a bare DELCONSUMER would drop what is pending.
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, name)
redis.call('ZREM', KEYS[2], name)
redis.call('HDEL', KEYS[3], name)
return { 'removed', #rows - #letters }
