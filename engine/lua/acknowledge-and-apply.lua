#!lua flags=allow-oom
-- Applies a batch of entries exactly once: acknowledges them and writes their folded effects, or does nothing.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] holders  KEYS[4] ledger
-- KEYS[5] attempts  KEYS[6...] hashes, in the order of the rows, then the rankings
-- ARGV[1] group  ARGV[2] consumer
-- ARGV[3] JSON: { ids (ascending), dead = { { id, reason, error } ... }, rows per plan,
--   again = { ids that may have failed attempts ... } }
-- ARGV[4] token of the lease, empty for none
-- Returns one of
--   { 'applied', began }      began: when this call did, on the server's clock (microseconds); 0 without the right to TIME
--   { 'superseded' }          the lease is not this process's. Nothing written.
--   { 'gone', { id ... } }    some ids are not pending for this consumer any more; these still are. Nothing written.
--   { 'refused', { at, code ... } }  the hash of row `at` (from 0) cannot take it. Nothing written.
--   { 'error', code }         no-group, moved-back, wrong-type (of the stream, the dead-letter stream, the ledger or a
--                             ranking),
--                             no-permission. Nothing written.
-- Guards:
--   pending: applies nothing of what is not pending for this consumer any more
--   token: applies nothing for a process whose name another one has by now
--   each-id: asks for each id, however many others are pending between the first and the last
--   owner: applies nothing that is pending for another consumer
--   settled: applies nothing that was settled before, though it is pending again
--   all-ids: acknowledges every id that it applies, in steps of what one command takes
--   refused: writes nothing while one hash cannot take its row
--   attempts: leaves attempts of another type alone
--   rights: has all rights before it writes a dead letter, the first write
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters
-- @include parts/effects

local stream, target, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local began = clock_us()
local batch = cjson.decode(ARGV[3])
local ids = batch.ids

-- The gate: an id leaves the pending entries list once, so its effects are written once.
local function pending_ids()
  local held = redis.pcall('XPENDING', stream, group, ids[1], ids[#ids], #ids, consumer)
  if held.err then return nil, error_code(held.err, 'XPENDING', stream) end
  local is_whole = #held == #ids
  for at = 1, #held do
    if held[at][1] ~= ids[at] then
      is_whole = false
      break
    end
  end
  if is_whole then return ids end
  -- Other pending entries of ours may lie between these: ask for each.
  local still = {}
  for _, id in ipairs(ids) do
    if #redis.call('XPENDING', stream, group, id, id, 1, consumer) == 1 then still[#still + 1] = id end
  end
  return still
end

if ARGV[4] ~= '' then
  local holder = redis.pcall('HGET', KEYS[3], consumer)
  if type(holder) == 'table' then return { 'error', error_code(holder.err, 'HGET', KEYS[3]) } end
  if holder_of(holder) ~= ARGV[4] then return { 'superseded' } end
end
local still, problem = pending_ids()
if not still then return { 'error', problem } end
if #still < #ids then return { 'gone', still } end
local ledger
ledger, problem = open_ledger(KEYS[4], stream, group, target)
if not ledger then return { 'error', problem } end
if was_any_settled(ledger, ids) then return { 'error', moved_back(KEYS[4]) } end

local has_attempts = false
if #batch.again > 0 then
  local kind = redis.pcall('TYPE', KEYS[5])
  if kind.err then return { 'error', error_code(kind.err, 'TYPE', KEYS[5]) } end
  has_attempts = kind.ok == 'hash'
end
problem = check_permissions({ 'XACK', stream, group, ids[1] })
  or (has_attempts and check_permissions({ 'HDEL', KEYS[5], ids[1] }))
  or (#batch.dead > 0 and check_dead_letters(target))
if problem then return { 'error', problem } end
local refusals
refusals, problem = check_effects(batch.rows, 6)
if not refusals then return { 'error', problem } end
if #refusals > 0 then return { 'refused', refusals } end

-- From here on nothing can fail.
write_dead_letters(stream, target, consumer, batch.dead)
for at = 1, #ids, 5000 do
  redis.call('XACK', stream, group, unpack(ids, at, math.min(at + 4999, #ids)))
end
if has_attempts then redis.call('HDEL', KEYS[5], unpack(batch.again)) end
write_effects(batch.rows)
settle_in_ledger(ledger, #ids - #batch.dead, #batch.dead, ids[#ids])
return { 'applied', began }
