-- Begins a sweep: one consumer of the group at a time takes the turn. Removes consumers that are long gone and empty,
-- and says whose pending entries may be claimed.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders
-- ARGV[1] group  ARGV[2] consumer that sweeps  ARGV[3] length of a turn (ms)  ARGV[4] remove after (ms)
-- ARGV[5...] names of consumers that only park entries: removed as soon as they are empty
-- Returns { } when another consumer has the turn, else { { name, 'expired' or 'foreign' } ... } of consumers that have
-- pending entries and no living lease; or { 'error', code }.

local REMOVALS_MAX = 100 -- bounds the time of a call
local TURN = '@sweep' -- no consumer's name
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local turn = redis.pcall('ZSCORE', KEYS[2], TURN)
if type(turn) == 'table' then return { 'error', error_code(turn.err) } end
if turn and tonumber(turn) > now then return {} end
local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
if consumers.err then return { 'error', error_code(consumers.err) } end

local parking = {}
for at = 5, #ARGV do
  parking[ARGV[at]] = true
end
redis.call('ZADD', KEYS[2], now + ARGV[3], TURN)
local claimable, removals = {}, 0
for _, flat in ipairs(consumers) do
  local consumer = {}
  for at = 1, #flat, 2 do
    consumer[flat[at]] = flat[at + 1]
  end
  local name = consumer.name
  local ends = tonumber(redis.call('ZSCORE', KEYS[2], name) or nil)
  local is_alive = name == ARGV[2] or (ends and ends > now)
  if not is_alive and consumer.pending > 0 then
    claimable[#claimable + 1] = { name, ends and 'expired' or 'foreign' }
  elseif not is_alive and removals < REMOVALS_MAX then
    local gone_for = ends and now - ends or consumer.idle
    if parking[name] or gone_for >= tonumber(ARGV[4]) then
      -- Empty, seen in this same call: a bare DELCONSUMER would drop what is pending.
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
      redis.call('ZREM', KEYS[2], name)
      redis.call('HDEL', KEYS[3], name)
      removals = removals + 1
    end
  end
end
return claimable
