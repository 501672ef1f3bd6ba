#!lua flags=allow-oom
-- Brings rankings up to date with some hashes, as they are now: also those that were written before there was a ranking.
-- KEYS[1...n] rankings  KEYS[n+1...] hashes
-- ARGV[1], ARGV[2] the part of a hash's key that is its member, as string.sub takes it  ARGV[3...n+2] ranked fields
-- Returns one of
--   { 'ranked', members set, members removed }   a hash without an integer there is in no ranking
--   { 'error', code }         wrong-type (of a ranking), no-permission. Nothing written.
-- Guards:
--   types: ranks nothing while one ranking has another type
--   rights: has all rights before its first write
--   no-fault: takes nobody out because a hash may not be read
--   integers: ranks nobody by what is no integer of a hash
--   all: ranks and removes all, in steps of what one command takes
-- @include parts/checks

local count = #ARGV - 2
local sets, removals = {}, {}
for at = 1, count do
  sets[at], removals[at] = {}, {}
  local size = redis.pcall('ZCARD', KEYS[at])
  if type(size) == 'table' then return { 'error', error_code(size.err, 'ZCARD', KEYS[at]) } end
  local problem = check_permissions({ 'ZADD', KEYS[at], 0, 'member' }, { 'ZREM', KEYS[at], 'member' })
  if problem then return { 'error', problem } end
end

local request = { 'HMGET', '', unpack(ARGV, 3) }
for at = count + 1, #KEYS do
  local key = KEYS[at]
  request[2] = key
  local held = redis.pcall(unpack(request))
  if held.err then
    local code = error_code(held.err, 'HMGET')
    if code ~= 'wrong-type' then return { 'error', code } end
    held = {}
  end
  local member = string.sub(key, tonumber(ARGV[1]), tonumber(ARGV[2]))
  for index = 1, count do
    local score = held[index]
    if score and #score <= 20 and string.find(score, '^%-?%d+$') then
      local set = sets[index]
      set[#set + 1], set[#set + 2] = score, member
    else
      removals[index][#removals[index] + 1] = member
    end
  end
end

-- From here on nothing can fail.
local set_count, removed = 0, 0
for index = 1, count do
  local set, gone = sets[index], removals[index]
  -- unpack takes less than 8,000 values.
  for from = 1, #set, 5000 do
    redis.call('ZADD', KEYS[index], unpack(set, from, math.min(from + 4999, #set)))
  end
  for from = 1, #gone, 5000 do
    removed = removed + redis.call('ZREM', KEYS[index], unpack(gone, from, math.min(from + 4999, #gone)))
  end
  set_count = set_count + #set / 2
end
return { 'ranked', set_count, removed }
