#!lua flags=allow-oom
-- Takes, renews or releases the lease of a consumer's name. Time is the server's.
-- KEYS[1] leases: sorted set, name to end (ms)  KEYS[2] holders: hash, name to JSON { token, leaseMs, ... }
-- ARGV[1] take, renew or release  ARGV[2] name  ARGV[3] token  ARGV[4] duration (ms)  ARGV[5] holder JSON
-- ARGV[6] take only: the token of a holder that is known to be dead, else empty
-- Returns { 'held', holder JSON, ms left } when another one holds it, { 'lost' } when a renewal or release comes too
-- late because another one has it or it was removed, else { 'ours', ms that were left before }; or { 'error', code }.
-- Guards:
--   alive: takes no name while the lease of another one runs
--   token: neither renews nor releases for one whose name another one has
--   gone: renews nothing that is gone: it is taken again, or another one has it
--   dead: takes a name over only from the very holder that is known to be dead
--   ended: lets nobody keep a name beyond the end of its lease
--   types: writes nothing while leases or holders have another type
--   rights: has all rights before its first write
-- @include parts/checks

local leases, holders = KEYS[1], KEYS[2]
local action, name, token = ARGV[1], ARGV[2], ARGV[3]
local json = redis.pcall('HGET', holders, name)
if type(json) == 'table' then return { 'error', error_code(json.err, 'HGET', holders) } end
local ends = redis.pcall('ZSCORE', leases, name)
if type(ends) == 'table' then return { 'error', error_code(ends.err, 'ZSCORE', leases) } end
local problem = check_permissions(
  { 'ZADD', leases, '1', name },
  { 'ZREM', leases, name },
  { 'HSET', holders, name, '' },
  { 'HDEL', holders, name }
)
if problem then return { 'error', problem } end

local now = now_ms()
local holder = holder_of(json)
local left = lease_left(leases, holders, name, now)
if action == 'take' then
  if holder and holder ~= token and holder ~= ARGV[6] and left > 0 then return { 'held', json, left } end
elseif holder ~= token then
  return { 'lost' }
end
if action == 'release' then
  redis.call('ZREM', leases, name)
  redis.call('HDEL', holders, name)
else
  redis.call('ZADD', leases, now + ARGV[4], name)
  redis.call('HSET', holders, name, ARGV[5])
end
return { 'ours', left }
