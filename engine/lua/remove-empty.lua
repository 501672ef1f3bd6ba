#!lua flags=allow-oom
-- Removes consumers that are long gone and empty. Whether they are empty is seen in this same call: a bare DELCONSUMER
-- would drop what is pending.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders
-- ARGV[1] group  ARGV[2] remove those whose lease ended so long ago (ms)  ARGV[3...] names; consumers without a lease are
-- removed at once
-- Returns { number of removed ones } or { 'error', code }.
-- Guards:
--   pending: removes nobody who has got pending entries since it was listed
--   alive: removes nobody who has come back since it was listed
--   since: removes nobody whose lease ended only lately
--   pause: leaves the pause of a name in place
--   rights: has all rights before its first write
-- @include parts/checks

local stream, leases, holders, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local problem = check_permissions(
  { 'XGROUP', 'DELCONSUMER', stream, group, '' },
  { 'ZREM', leases, '' },
  { 'HDEL', holders, '' }
)
if problem then return { 'error', problem } end
local now, removed = now_ms(), 0
for at = 3, #ARGV do
  local name = ARGV[at]
  local held = redis.pcall('XPENDING', stream, group, '-', '+', 1, name)
  if held.err then return { 'error', error_code(held.err, 'XPENDING', stream) } end
  local ends = tonumber(redis.call('ZSCORE', leases, name) or nil)
  local is_gone = not ends or (lease_left(leases, holders, name, now) <= 0 and now - ends >= tonumber(ARGV[2]))
  if #held == 0 and is_gone then
    redis.call('XGROUP', 'DELCONSUMER', stream, group, name)
    redis.call('ZREM', leases, name) -- A pause of it lasts until it is resumed.
    redis.call('HDEL', holders, name)
    removed = removed + 1
  end
end
return { removed }
