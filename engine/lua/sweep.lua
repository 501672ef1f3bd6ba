-- Begins a sweep: one consumer of the group at a time takes the turn. Removes consumers that are long gone and empty,
-- and says whose pending entries may be claimed.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders
-- ARGV[1] group  ARGV[2] consumer that sweeps  ARGV[3] length of a turn (ms)  ARGV[4] remove after (ms)
-- ARGV[5...] names of consumers that only park entries: removed as soon as they are empty
-- Returns { } when another consumer has the turn or the sweeper's own lease does not run, else
-- { { name, 'expired' or 'foreign', how long its lease lasts (ms) } ... } of consumers that have pending entries and no
-- living lease, expired ones first; or { 'error', code }.

local REMOVALS_MAX = 100 -- bounds the time of a call
local TURN_MAX = 1000 -- a longer turn was taken before the clock was set back
local TURN = '@sweep' -- no consumer's name
local stream, leases, holders, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local now = now_ms()
local turn = redis.pcall('ZSCORE', leases, TURN)
if type(turn) == 'table' then return { 'error', error_code(turn.err) } end
local turn_left = turn and tonumber(turn) - now or 0
if turn_left > 0 and turn_left <= TURN_MAX then return {} end
-- After an outage all leases have ended; who renews first must not take the others for dead.
if lease_left(leases, holders, ARGV[2], now) <= 0 then return {} end
local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, group)
if consumers.err then return { 'error', error_code(consumers.err) } end
local problem = check_permissions({ 'ZADD', leases, '1', TURN })
if problem then return { 'error', problem } end
local may_remove = not check_permissions(
  { 'XGROUP', 'DELCONSUMER', stream, group, TURN },
  { 'ZREM', leases, TURN },
  { 'HDEL', holders, TURN }
)

local parking = {}
for at = 5, #ARGV do
  parking[ARGV[at]] = true
end
redis.call('ZADD', leases, now + ARGV[3], TURN)
local expired, foreign, removals = {}, {}, 0
for _, flat in ipairs(consumers) do
  local consumer = {}
  for at = 1, #flat, 2 do
    consumer[flat[at]] = flat[at + 1]
  end
  local name = consumer.name
  local ends = tonumber(redis.call('ZSCORE', leases, name) or nil)
  local is_alive = name == ARGV[2] or (ends and lease_left(leases, holders, name, now) > 0)
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
      removals = removals + 1
    end
  end
end
for _, row in ipairs(foreign) do
  expired[#expired + 1] = row
end
return expired
