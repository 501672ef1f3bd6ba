#!lua flags=allow-oom
-- Applies a batch of a reader without a group exactly once: moves its position and writes the folded effects, or
-- does nothing.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] position  KEYS[4] ledger
-- KEYS[5...] hashes, in the order of the rows, then the rankings
-- ARGV[1] name of the reader  ARGV[2] position before, empty when there was none  ARGV[3] position after
-- ARGV[4] JSON: { count, dead = { { id, reason, error } ... }, rows per plan }
-- Returns one of
--   { 'applied', began }      began: when this call did, on the server's clock (microseconds); 0 without the right to TIME
--   { 'moved', position }     the position is another one. Nothing written.
--   { 'refused', { at, code ... } }  the hash of row `at` (from 0) cannot take it. Nothing written.
--   { 'error', code }         wrong-type (of the position, the dead-letter stream, the ledger or a ranking), no-permission.
--                             Nothing written.
-- Guards:
--   position: leaves a position once: moves on from no other one
--   refused: writes nothing while one hash cannot take its row
--   letters: writes nothing while the dead letters have no place
--   rights: has all rights before it writes a dead letter, the first write
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters
-- @include parts/effects

local began = clock_us()
local batch = cjson.decode(ARGV[4])

-- The gate: a position is left once.
local position = redis.pcall('GET', KEYS[3])
if type(position) == 'table' then return { 'error', error_code(position.err, 'GET', KEYS[3]) } end
if (position or '') ~= ARGV[2] then return { 'moved', position or '' } end

local problem = check_permissions({ 'SET', KEYS[3], ARGV[3] }) or (#batch.dead > 0 and check_dead_letters(KEYS[2]))
if problem then return { 'error', problem } end
local ledger
ledger, problem = open_ledger(KEYS[4], KEYS[1], nil, KEYS[2])
if not ledger then return { 'error', problem } end
local refusals
refusals, problem = check_effects(batch.rows, 5)
if not refusals then return { 'error', problem } end
if #refusals > 0 then return { 'refused', refusals } end

-- From here on nothing can fail.
write_dead_letters(KEYS[1], KEYS[2], ARGV[1], batch.dead)
redis.call('SET', KEYS[3], ARGV[3])
write_effects(batch.rows)
settle_in_ledger(ledger, batch.count - #batch.dead, #batch.dead, ARGV[3])
return { 'applied', began }
