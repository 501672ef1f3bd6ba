#!lua flags=allow-oom
-- Removes a consumer without losing what is pending for it: moves its entries to a parking consumer, from which the next
-- sweep claims them, and deletes it once it is empty. A step: called again until it is removed. Entries whose body is
-- gone leave a dead letter.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders  KEYS[4] dead-letter stream  KEYS[5] ledger
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] parking consumer  ARGV[4] entries to move at most  ARGV[5] idle time (ms)
-- Returns { 'removed', moved }, { 'moved', moved } when some are left, { 'alive', ms left, holder JSON }, { 'missing' }
-- or { 'error', code }.
-- Guards:
--   alive: removes nobody whose lease runs
--   pending: removes nobody who still has pending entries
--   known: makes no consumer of a name that there is not
--   lost: makes a dead letter of an entry whose body is gone, and counts it
--   moved-back: moves nothing of a group that was moved back
--   letters: moves nothing while the dead letters have no place
--   rights: has all rights before its first write
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters

local group, name = ARGV[1], ARGV[2]
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], group)
if consumers.err then return { 'error', error_code(consumers.err, 'XINFO CONSUMERS', KEYS[1]) } end
local is_known = false
for _, flat in ipairs(consumers) do
  if flat[2] == name then is_known = true end
end
if not is_known then return { 'missing' } end
local left = lease_left(KEYS[2], KEYS[3], name, now_ms())
if left > 0 then return { 'alive', left, redis.call('HGET', KEYS[3], name) or '{}' } end

local problem = check_dead_letters(KEYS[4])
  or check_permissions(
    { 'XCLAIM', KEYS[1], group, name, '0', '0-1' },
    { 'XACK', KEYS[1], group, '0-1' },
    { 'XGROUP', 'DELCONSUMER', KEYS[1], group, name },
    { 'ZREM', KEYS[2], name },
    { 'HDEL', KEYS[3], name }
  )
if problem then return { 'error', problem } end
local ledger
ledger, problem = open_ledger(KEYS[5], KEYS[1], group, KEYS[4])
if not ledger then return { 'error', problem } end
local rows = redis.call('XPENDING', KEYS[1], group, '-', '+', ARGV[4], name)
local letters = {}
for _, row in ipairs(rows) do
  -- Reads no body, and returns nothing of an entry whose body is gone.
  local moved = redis.call('XCLAIM', KEYS[1], group, ARGV[3], 0, row[1], 'IDLE', ARGV[5], 'JUSTID')
  if not moved[1] then
    letters[#letters + 1] = { row[1], 'lost', 'the entry was trimmed or deleted before it was processed' }
  end
end
write_dead_letters(KEYS[1], KEYS[4], name, letters)
for _, letter in ipairs(letters) do
  redis.call('XACK', KEYS[1], group, letter[1])
end
if #letters > 0 then settle_in_ledger(ledger, 0, #letters, letters[#letters][1]) end
-- Only when it is empty, seen in this same call: a bare DELCONSUMER would drop what is pending.
if #redis.call('XPENDING', KEYS[1], group, '-', '+', 1, name) > 0 then return { 'moved', #rows - #letters } end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, name)
redis.call('ZREM', KEYS[2], name)
redis.call('HDEL', KEYS[3], name)
return { 'removed', #rows - #letters }
