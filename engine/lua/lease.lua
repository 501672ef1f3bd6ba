-- Takes, renews or releases the lease of a consumer's name. Time is the server's.
-- KEYS[1] leases: sorted set, name to end (ms)  KEYS[2] holders: hash, name to JSON { token, ... }
-- ARGV[1] take, renew or release  ARGV[2] name  ARGV[3] token  ARGV[4] duration (ms)  ARGV[5] holder JSON
-- ARGV[6] take only: the token of a holder that is known to be dead, else empty
-- Returns { 'held', holder JSON, ms left } when another one holds it, { 'lost' } when a renewal or release comes too
-- late because another one has it or it was removed, else { 'ours' }; or { 'error', code }.

local action, name, token = ARGV[1], ARGV[2], ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.pcall('ZSCORE', KEYS[1], name)
local json = redis.pcall('HGET', KEYS[2], name)
if type(ends) == 'table' then return { 'error', error_code(ends.err) } end
if type(json) == 'table' then return { 'error', error_code(json.err) } end
local problem = check_permissions(
  { 'ZADD', KEYS[1], '1', name },
  { 'ZREM', KEYS[1], name },
  { 'HSET', KEYS[2], name, '' },
  { 'HDEL', KEYS[2], name }
)
if problem then return { 'error', problem } end
local holder = json and cjson.decode(json).token
local left = (tonumber(ends) or 0) - now

if action == 'take' then
  if holder and holder ~= token and holder ~= ARGV[6] and left > 0 then return { 'held', json, left } end
elseif holder ~= token then
  return { 'lost' }
end
if action == 'release' then
  redis.call('ZREM', KEYS[1], name)
  redis.call('HDEL', KEYS[2], name)
else
  redis.call('ZADD', KEYS[1], now + ARGV[4], name)
  redis.call('HSET', KEYS[2], name, ARGV[5])
end
return { 'ours' }
