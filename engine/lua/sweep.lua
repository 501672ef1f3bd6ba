#!lua flags=allow-oom
-- Begins a sweep: one consumer of the group at a time takes the turn. Notes what is pending (`pending-snapshot.lua`), and
-- says whose pending entries may be claimed.
-- KEYS[1] stream  KEYS[2] leases  KEYS[3] holders  KEYS[4] retries  KEYS[5] attempts  KEYS[6] ledger
-- ARGV[1] group  ARGV[2] consumer that sweeps  ARGV[3] length of a turn (ms)  ARGV[4] idle time (ms) after which an entry
-- of its own may be a stray  ARGV[5] yes, or no: has no room for claims and leaves the turn to another one
-- Returns { is_paused (0, 1), has strays perhaps (0, 1), ms until the first retry is due or '', { name, 'expired' or
-- 'no-lease', how long its lease lasts (ms) } ... } with the consumers that have pending entries and no living lease,
-- expired ones first; or { 'error', code }. No consumers and no retry when another consumer has the turn, the sweeper is
-- paused or has no room, or its own lease does not run.
-- Guards:
--   paused: names nobody while the group or the sweeper is paused
--   own-lease: names nobody while the lease of the sweeper itself has ended
--   turn: names somebody for one sweeper a turn
--   clock: waits for no turn that was taken before the clock was set back
--   room: takes no turn from others where there is no room for claims
--   alive: names nobody whose lease runs, nor the sweeper itself
--   schedule: names the parking place of retries only where the schedule is lost
--   leftovers: forgets schedule and attempts only once nothing is pending, and no key of another type
--   rights: has all rights before its first write
--   forget: leaves schedule and attempts in place without the right to forget them
-- @include parts/checks
-- @include parts/ledger
-- @include parts/pending-snapshot
-- @include parts/retry-schedule

local TURN_MAX = 1000 -- a longer turn was taken before the clock was set back
local TURN = '@sweep' -- no consumer's name
local stream, leases, holders, group, sweeper = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
local marks = redis.pcall('ZMSCORE', leases, TURN, '@paused:', '@paused:' .. sweeper)
if marks.err then return { 'error', error_code(marks.err, 'ZMSCORE', leases) } end
if marks[2] or marks[3] then return { 1, 0, '' } end
local idle = redis.pcall('XPENDING', stream, group, 'IDLE', ARGV[4], '-', '+', 1, sweeper)
if idle.err then return { 'error', error_code(idle.err, 'XPENDING', stream) } end
local now = now_ms()
local turn_left = marks[1] and tonumber(marks[1]) - now or 0
if
  ARGV[5] ~= 'yes'
  or (turn_left > 0 and turn_left <= TURN_MAX)
  -- After an outage all leases have ended; who renews first must not take the others for dead.
  or lease_left(leases, holders, sweeper, now) <= 0
then
  return { 0, #idle, '' }
end
local problem = check_permissions({ 'ZADD', leases, '1', TURN })
if problem then return { 'error', problem } end
local scheduled = redis.pcall('ZCARD', KEYS[4])
if type(scheduled) == 'table' then return { 'error', error_code(scheduled.err, 'ZCARD', KEYS[4]) } end
local _, next_in = look_at_schedule(KEYS[4], KEYS[5], now, 0)
local pending = redis.call('XPENDING', stream, group)

redis.call('ZADD', leases, now + ARGV[3], TURN)
if pending[1] == 0 and not check_permissions({ 'DEL', KEYS[4], KEYS[5] }) then
  -- Left by entries that somebody acknowledged by hand. A key of another type is not ours.
  redis.call('DEL', KEYS[4])
  if redis.pcall('TYPE', KEYS[5]).ok == 'hash' then redis.call('DEL', KEYS[5]) end
end
note_pending(KEYS[6], stream, group, pending[1] > 0)
local expired, unleased = {}, {}
for _, consumer in ipairs(pending[4] or {}) do
  local name = consumer[1]
  local ends = redis.call('ZSCORE', leases, name)
  local is_alive = name == sweeper
    or (ends and lease_left(leases, holders, name, now) > 0)
    -- Taken when due; claimed only if the schedule was lost.
    or (name == 'retry' and tonumber(consumer[2]) <= scheduled)
  if not is_alive then
    local list = ends and expired or unleased
    local _, lasts = holder_of(redis.call('HGET', holders, name))
    list[#list + 1] = { name, ends and 'expired' or 'no-lease', lasts }
  end
end
local reply = { 0, #idle, next_in or '' }
for _, list in ipairs({ expired, unleased }) do
  for _, row in ipairs(list) do
    reply[#reply + 1] = row
  end
end
return reply
