-- Begins a sweep: one consumer of the group at a time takes the turn. Removes consumers that are long gone and empty,
-- and says whose pending entries may be claimed.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders  KEYS[4] retries  KEYS[5] attempts
-- ARGV[1] group  ARGV[2] consumer that sweeps  ARGV[3] length of a turn (ms)  ARGV[4] remove after (ms)
-- ARGV[5...] names of consumers that only park entries: removed as soon as they are empty
-- Returns { is_paused (0, 1), ms until the first retry is due or '', { name, 'expired' or 'foreign', how long its lease
-- lasts (ms) } ... } with the consumers that have pending entries and no living lease, expired ones first; none and no
-- retry when another consumer has the turn, the sweeper is paused, or its own lease does not run. Or { 'error', code }.

local REMOVALS_MAX = 100 -- bounds the time of a call
local TURN_MAX = 1000 -- a longer turn was taken before the clock was set back
local TURN = '@sweep' -- no consumer's name
local stream, leases, holders, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local now = now_ms()
local marks = redis.pcall('ZMSCORE', leases, TURN, '@paused:', '@paused:' .. ARGV[2])
if marks.err then return { 'error', error_code(marks.err) } end
if marks[2] or marks[3] then return { 1, '' } end
local turn = marks[1]
local turn_left = turn and tonumber(turn) - now or 0
if turn_left > 0 and turn_left <= TURN_MAX then return { 0, '' } end
-- After an outage all leases have ended; who renews first must not take the others for dead.
if lease_left(leases, holders, ARGV[2], now) <= 0 then return { 0, '' } end
local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
if consumers.err then return { 'error', error_code(consumers.err) } end
local problem = check_permissions({ 'ZADD', leases, '1', TURN })
if problem then return { 'error', problem } end
local may_remove = not check_permissions(
  { 'XGROUP', 'DELCONSUMER', stream, group, TURN },
  { 'ZREM', leases, TURN },
  { 'HDEL', holders, TURN },
  { 'DEL', KEYS[4], KEYS[5] }
)

local parking = {}
for at = 5, #ARGV do
  parking[ARGV[at]] = true
end
local retries = redis.pcall('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
if retries.err then return { 'error', error_code(retries.err) } end
redis.call('ZADD', leases, now + ARGV[3], TURN)
local scheduled = retries[1] and redis.call('ZCARD', KEYS[4]) or 0
local expired, foreign, removals, pending = {}, {}, 0, 0
for _, flat in ipairs(consumers) do
  local consumer = {}
  for at = 1, #flat, 2 do
    consumer[flat[at]] = flat[at + 1]
  end
  local name = consumer.name
  local ends = tonumber(redis.call('ZSCORE', leases, name) or nil)
  local is_alive = name == ARGV[2] or (ends and lease_left(leases, holders, name, now) > 0)
  pending = pending + consumer.pending
  -- Taken when due; claimed only if the schedule was lost.
  is_alive = is_alive or (name == 'retry' and consumer.pending > 0 and consumer.pending <= scheduled)
  if not is_alive and consumer.pending > 0 then
    local list = ends and expired or foreign
    local _, lasts = holder_of(redis.call('HGET', holders, name))
    list[#list + 1] = { name, ends and 'expired' or 'foreign', lasts }
  elseif not is_alive and may_remove and removals < REMOVALS_MAX then
    local gone_for = ends and now - ends or consumer.idle
    if parking[name] or gone_for >= tonumber(ARGV[4]) then
      -- Empty, seen in this same call: a bare DELCONSUMER would drop what is pending.
      redis.call('XGROUP', 'DELCONSUMER', stream, group, name)
      redis.call('ZREM', leases, name)
      redis.call('HDEL', holders, name)
      redis.call('ZREM', leases, '@paused:' .. name)
      removals = removals + 1
    end
  end
end
for _, row in ipairs(foreign) do
  expired[#expired + 1] = row
end
if pending == 0 and may_remove then redis.call('DEL', KEYS[4], KEYS[5]) end -- Left by entries that somebody acknowledged by hand.
table.insert(expired, 1, retries[2] and math.max(0, retries[2] - now) or '')
table.insert(expired, 1, 0)
return expired
