#!lua flags=allow-oom
-- Puts a lost group where its ledger ends, once `recover-unknown.lua` has walked to its end: drops what is pending and must
-- not be, in steps; then creates or moves the group, and the ledger goes on.
-- KEYS[1] stream  KEYS[2] ledger  KEYS[3] leases  KEYS[4] holders  KEYS[5] retries  KEYS[6] attempts
-- ARGV[1] group  ARGV[2] pending entries to drop at most  ARGV[3] JSON: tokens of holders that are known to be dead
-- ARGV[4] id up to which the undelivered entries are counted  ARGV[5] their number, empty when unknown
-- Returns one of
--   { 'more' }                call it again
--   { 'done', undelivered or '', unaccounted or '' }   unaccounted: entries that are in no count of the ledger
--   { 'walk' }                the walk over the unknown ones is not at its end. Nothing written.
--   { 'alive', name ... }     consumers whose lease runs. Nothing written.
--   { 'nothing' }             there is nothing to recover. Nothing written.
--   { 'error', code }         wrong-type, no-permission. Nothing written.
-- Guards:
--   walk: moves no group while an unknown entry may lack its dead letter
--   living: moves no group under a consumer that lives, unless it is known to be dead
--   nothing: does nothing to a group that lacks nothing (any more)
--   kept: drops nothing that is pending rightly
--   ids: gives no id anew that the ledger knows
--   schedule: leaves no schedule and no attempts of what is pending no more
--   rights: has all rights before it drops anything
-- @include parts/checks
-- @include parts/ledger
-- @include parts/read-in-steps
-- @include parts/recovery

local stream, key, group = KEYS[1], KEYS[2], ARGV[1]
local state, problem = state_of(stream, group, key)
if not state then return { 'error', problem } end
if not state.mode then return { 'nothing' } end
local names = living(KEYS[3], KEYS[4], cjson.decode(ARGV[3]))
if #names > 0 then return { 'alive', unpack(names, 1, math.min(#names, 100)) } end
if not state.recovering or is_before(state.recovered_up_to, state.position) then return { 'walk' } end
problem = check_permissions(
  { 'XACK', stream, group, '0-1' },
  { 'XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM' },
  { 'XGROUP', 'SETID', stream, group, '0' },
  { 'XSETID', stream, '0-1' },
  { 'DEL', KEYS[5], KEYS[6] },
  { 'HSET', key, 'delivered', '' },
  { 'HDEL', key, 'recovering' }
)
if problem then return { 'error', problem } end

-- From here on nothing can fail.
local is_kept = state.mode == 'fill' or state.mode == 'forward'
local dropped = 0
if state.has_group then
  -- Behind the position all is delivered again.
  local from = is_kept and '(' .. state.position or '-'
  local is_at_end = is_kept and state.position == LAST_ID
  for _, row in ipairs(is_at_end and {} or redis.call('XPENDING', stream, group, from, '+', ARGV[2])) do
    dropped = dropped + redis.call('XACK', stream, group, row[1])
  end
  if dropped == tonumber(ARGV[2]) then return { 'more' } end
else
  redis.call('XGROUP', 'CREATE', stream, group, state.position, 'MKSTREAM')
end
local about = redis.call('XINFO', 'STREAM', stream)
-- In a stream that was made anew the next ids must come after those that the ledger knows.
if is_before(flat_value(about, 'last-generated-id'), state.position) then redis.call('XSETID', stream, state.position) end
local undelivered = ARGV[5]
if undelivered ~= '' then
  local more, _, is_whole = read_in_steps('XRANGE', stream, '(' .. ARGV[4], '+', 1001)
  undelivered = is_whole and tonumber(undelivered) + more or ''
end
local added = flat_value(about, 'entries-added')
local set_id = { 'XGROUP', 'SETID', stream, group, state.position }
if undelivered ~= '' and added >= undelivered then
  set_id[6], set_id[7] = 'ENTRIESREAD', added - undelivered
end
redis.call(unpack(set_id))

local oldest = redis.call('XPENDING', stream, group, '-', '+', 1)[1]
local write = { 'HSET', key, 'delivered', state.position, 'firstPending', oldest and oldest[1] or '' }
local unaccounted = ''
if undelivered ~= '' then
  local pending = redis.call('XPENDING', stream, group)[1]
  local skipped = added - (state.applied + state.dead - state.redriven) - pending - undelivered
  write[#write + 1] = 'skipped'
  write[#write + 1] = skipped
  local before = tonumber(state.skipped)
  if before and state.mode ~= 'anew' then unaccounted = skipped - before end
end
redis.call(unpack(write))
redis.call('HDEL', key, 'recovering', 'recoveredUpTo', 'pendingUpTo', 'pendingIds', 'moved')
if not is_kept then redis.call('DEL', KEYS[5], KEYS[6]) end
return { 'done', undelivered, unaccounted }
