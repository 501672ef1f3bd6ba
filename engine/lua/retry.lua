#!lua flags=allow-oom
-- Schedules the next attempt at an entry that its handler could not process: parks it, pending, until it is due. What
-- is scheduled outlives the consumer.
-- KEYS[1] stream  KEYS[2] holders  KEYS[3] retries: sorted set, id to when it is due (ms)  KEYS[4] attempts: hash, id to
-- failed attempts, a colon, and the wait that the last of them was given (ms)
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] token of its lease  ARGV[4] parking consumer  ARGV[5] id
-- ARGV[6] failed attempts so far  ARGV[7] milliseconds until it is due
-- Returns { 'scheduled' }, { 'superseded' } when the lease is not this process's, { 'gone' } when the entry is not pending
-- for this consumer any more, { 'lost' } when its body is gone, or { 'error', code }; nothing written but by the first.
-- Guards:
--   token: parks nothing for a process whose name another one has by now
--   pending: parks nothing that is not pending for this consumer any more
--   body: keeps an entry pending whose body is gone
--   types: parks nothing while schedule or attempts have another type
--   rights: has all rights before its first write
-- @include parts/checks

local stream, group, consumer, id = KEYS[1], ARGV[1], ARGV[2], ARGV[5]
local holder = redis.pcall('HGET', KEYS[2], consumer)
if type(holder) == 'table' then return { 'error', error_code(holder.err, 'HGET', KEYS[2]) } end
if holder_of(holder) ~= ARGV[3] then return { 'superseded' } end
local held = redis.pcall('XPENDING', stream, group, id, id, 1, consumer)
if held.err then return { 'error', error_code(held.err, 'XPENDING', stream) } end
if #held == 0 then return { 'gone' } end
-- XCLAIM would drop it from the pending entries list.
if #redis.call('XRANGE', stream, id, id) == 0 then return { 'lost' } end
local score, count = redis.pcall('ZSCORE', KEYS[3], id), redis.pcall('HGET', KEYS[4], id)
if type(score) == 'table' and score.err then return { 'error', error_code(score.err, 'ZSCORE', KEYS[3]) } end
if type(count) == 'table' and count.err then return { 'error', error_code(count.err, 'HGET', KEYS[4]) } end
local problem = check_permissions(
  { 'XCLAIM', stream, group, ARGV[4], '0', id },
  { 'ZADD', KEYS[3], '1', id },
  { 'HSET', KEYS[4], id, '1' }
)
if problem then return { 'error', problem } end

redis.call('XCLAIM', stream, group, ARGV[4], 0, id, 'JUSTID')
redis.call('ZADD', KEYS[3], now_ms() + ARGV[7], id)
redis.call('HSET', KEYS[4], id, ARGV[6] .. ':' .. ARGV[7])
return { 'scheduled' }
