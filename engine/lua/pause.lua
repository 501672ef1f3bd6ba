#!lua flags=allow-oom
-- Pauses a group or one of its consumers, or ends the pause. A pause that is there stays as it is.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders
-- ARGV[1] pause or resume  ARGV[2] group  ARGV[3] consumer, empty: the group as a whole
-- ARGV[4] JSON: who pauses  ARGV[5] yes: also a consumer that is neither known nor has a lease
-- Returns { 'paused' or 'already', since (ms), JSON or '' }, { 'resumed' or 'running' }, { 'missing' } or
-- { 'error', code }.
-- Guards:
--   once: keeps the time and the maker of a pause that is there
--   known: makes no pause of a consumer that there is not
--   alone: ends no pause but the one that it is told
--   types: writes nothing while leases or holders have another type
--   rights: has all rights before its first write
-- @include parts/checks

local stream, leases, holders = KEYS[1], KEYS[2], KEYS[3]
local action, group, consumer = ARGV[1], ARGV[2], ARGV[3]
local mark = '@paused:' .. consumer
local since, by = redis.pcall('ZSCORE', leases, mark), redis.pcall('HGET', holders, mark)
if type(since) == 'table' then return { 'error', error_code(since.err, 'ZSCORE', leases) } end
if type(by) == 'table' then return { 'error', error_code(by.err, 'HGET', holders) } end
local problem = check_permissions(
  { 'ZADD', leases, '1', mark },
  { 'ZREM', leases, mark },
  { 'HSET', holders, mark, '' },
  { 'HDEL', holders, mark }
)
if problem then return { 'error', problem } end

if action == 'resume' then
  redis.call('HDEL', holders, mark)
  return { redis.call('ZREM', leases, mark) == 1 and 'resumed' or 'running' }
end
if since then return { 'already', since, by or '' } end
if consumer ~= '' and ARGV[5] ~= 'yes' and not redis.call('ZSCORE', leases, consumer) then
  local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
  local code = consumers.err and error_code(consumers.err, 'XINFO CONSUMERS', stream)
  if code and code ~= 'no-group' then return { 'error', code } end
  local is_known = false
  for _, flat in ipairs(code and {} or consumers) do
    if flat_value(flat, 'name') == consumer then is_known = true end
  end
  if not is_known then return { 'missing' } end
end
local now = now_ms()
redis.call('ZADD', leases, now, mark)
redis.call('HSET', holders, mark, ARGV[4])
return { 'paused', now, ARGV[4] }
