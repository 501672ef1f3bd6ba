#!lua flags=allow-oom
-- A step over the entries of a lost group of which it is unknown whether they took effect: counts them, or makes each a
-- dead letter. Each once: how far it got stands in the ledger.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] ledger  KEYS[4] leases  KEYS[5] holders
-- ARGV[1] group  ARGV[2] look or write  ARGV[3] id to go on after, 0-0 at first  ARGV[4] id up to which ARGV[8] is
-- complete, empty for all  ARGV[5] entries to look at, at most; large ones up to a number of bytes  ARGV[6] error of the letters
-- ARGV[7] JSON: tokens of holders that are known to be dead  ARGV[8] JSON: ids that have a dead letter
-- Returns one of
--   { 'step', id to go on after or '' at the end, id ... }   the unknown ids
--   { 'alive', name ... }   consumers whose lease runs. Nothing written.
--   { 'nothing' }           there is nothing to recover. Nothing written.
--   { 'error', code }       wrong-type, no-permission. Nothing written.
-- Guards:
--   living: writes nothing while a consumer lives
--   nothing: writes nothing for a group that lacks nothing (any more)
--   mark: a slower recovery does not set back how far another one got
--   place: writes nothing where dead letters have no place, or how far it got
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters
-- @include parts/read-in-steps
-- @include parts/recovery

local stream, dead, key, group = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local is_writing = ARGV[2] == 'write'
local state, problem = state_of(stream, group, key)
if not state then return { 'error', problem } end
if not state.mode then return { 'nothing' } end
local letters = {}
for _, id in ipairs(cjson.decode(ARGV[8])) do
  letters[id] = true
end
if is_writing then
  local names = living(KEYS[4], KEYS[5], cjson.decode(ARGV[7]))
  if #names > 0 then return { 'alive', unpack(names, 1, math.min(#names, 100)) } end
  problem = check_dead_letters(dead) or check_permissions({ 'HSET', key, 'recovering', '' })
  if problem then return { 'error', problem } end
end
local unknown, next_after = unknown_step(state, ARGV[3], ARGV[4], tonumber(ARGV[5]), letters)
if not unknown then return { 'error', next_after } end

if is_writing then
  local rows = {}
  for _, id in ipairs(unknown) do
    rows[#rows + 1] = { id, 'unknown', ARGV[6] }
  end
  write_dead_letters(stream, dead, 'recover', rows)
  local reached = next_after == '' and state.position or next_after
  if is_before(reached, state.recovered_up_to) then reached = state.recovered_up_to end
  redis.call('HSET', key, 'deadLettered', state.dead + #rows, 'recovering', state.mode, 'recoveredUpTo', reached)
end
return { 'step', next_after, unpack(unknown) }
