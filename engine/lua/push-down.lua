#!lua flags=allow-oom
-- Drains a part of what is undelivered in a group, in the server: reads entries, decodes them, folds them to one row per
-- hash, and writes effects and dead letters together with the group's position. In front of it stands what was compiled
-- from the declaration: `decode`, `begin_fold`, `fold`, `rows_of`, `keys_of`, `may_meet`, `projections`, `refusal_texts`.
-- Everything is read with XRANGE, which moves nothing, and checked; only then the position moves and the writes follow.
-- So whatever fails before leaves the entries undelivered.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] holders  KEYS[4] ledger  KEYS[5] attempts
-- KEYS[6...] rankings  (the hashes follow from the entries)
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] token of the lease, empty for none  ARGV[4] entries at most
-- ARGV[5] bytes at most, but for one entry that is larger  ARGV[6] entries to read at first
-- Returns one of
--   { 'drained', taken, applied, last id, 1 when entries may be left, { entry id, reason, error ... }, began, bytes,
--     first id }
--                         taken: entries that were delivered; the rest of them are dead letters
--                         began: when this call did, on the server's clock (microseconds); 0 without the right to TIME
--                         bytes: size of all entries that were read, from some of them
--   { 'empty', last id }  nothing is undelivered
--   { 'superseded' }      the lease is not this process's. Nothing written.
--   { 'meeting', key }    two projections meet in one key. Nothing written.
--   { 'error', code }     no-group, moved-back, wrong-type (of the stream, the dead-letter stream, the ledger or a ranking),
--                         no-permission. Nothing written.
-- Guards:
--   rights: has all rights before its first write
--   token: takes nothing for a process whose name another one has by now
--   settled: takes nothing that was settled before, whatever is noted of the group
--   reserved: refuses a hash whose key is one of the engine
--   meeting: writes nothing where two projections meet in one key
--   types: takes nothing while ranking, ledger or dead letters have another type
--   no-fault: refuses no entry for what neither it nor its hash is to blame for
--   rest: says that entries are left when it takes only a part
--   fold-anew: folds anew after a refusal: what a check has left in the rows would count twice
--   blame: makes dead letters only of entries that no longer fit, where several overflow together
--   counts: leaves the group the counts that reading leaves
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters
-- @include parts/read-in-steps
-- @include parts/integers
-- @include parts/decode
-- @include parts/rankings
-- @include compiled/fold
-- @include compiled/plans
-- @include compiled/constants

local stream, target, holders, group, consumer = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
local count, bytes_max, step = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local began = clock_us()

if ARGV[3] ~= '' then
  local holder = redis.pcall('HGET', holders, consumer)
  if type(holder) == 'table' then return { 'error', error_code(holder.err, 'HGET', holders) } end
  if holder_of(holder) ~= ARGV[3] then return { 'superseded' } end
end

local ledger, problem = open_ledger(KEYS[4], stream, group, target)
if not ledger then return { 'error', problem } end

-- Where small entries end, large ones may begin: no step is longer than STEP_MAX, and shorter ones would cost more by
-- themselves; and the newest entry says what may come.
local STEP_MAX, CAUTIOUS_MAX, MEASURED_EVERY = 64, 8, 32
local none, entries, bytes, is_end = {}, {}, 0
local state, step_max = begin_fold(), CAUTIOUS_MAX
repeat
  if step > step_max and step_max == CAUTIOUS_MAX then
    local newest = redis.pcall('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
    step_max = newest and math.min(STEP_MAX, math.max(1, math.floor(bytes_max / size_of(newest)))) or STEP_MAX
  end
  local had = #entries
  local after = '(' .. (had > 0 and entries[had][1] or ledger.delivered)
  step = math.min(step, step_max, count - had)
  local some = read_range('XRANGE', stream, after, '+', step)
  if some.err then return { 'error', error_code(some.err, 'XRANGE', stream) } end
  local found = #some
  is_end = found < step
  if found > 0 then
    local measured, seen = 0, 0
    for at = found, 1, found <= CAUTIOUS_MAX and -1 or -MEASURED_EVERY do
      measured, seen = measured + size_of(some[at]), seen + 1
    end
    bytes = bytes + math.ceil(measured / seen * found)
    for at = 1, found do
      entries[had + at] = some[at]
    end
    fold(state, entries, had + 1, had + found, none)
    step = math.min(4 * step, math.floor((bytes_max - bytes) * seen / measured))
  end
until is_end or step < 1 or #entries == count
if #entries == 0 then return { 'empty', ledger.delivered } end
if was_any_settled(ledger, { entries[1][1] }) then return { 'error', moved_back(KEYS[4]) } end

local reserved = {}
for _, key in ipairs(KEYS) do
  reserved[key] = true
end
problem = check_rankings(projections, 5)
if problem then return { 'error', problem } end

-- Of a hash that refused: the field that it is about, if any.
local refused_fields = {}

-- Folds and checks the first `n` entries without those that are skipped. Returns the rows per plan, the problems of
-- entries that cannot be decoded, the number of entries folded, and the codes of the keys that refused.
local function prepare(n, skipped)
  -- All were folded as they were read. Not for a second time: a check leaves its own values in the rows.
  local folding = state or begin_fold()
  if not state then fold(folding, entries, 1, n, skipped) end
  state = nil
  local rows, problems, folded = rows_of(folding)
  local codes, worst
  local function refuse(key, code, _, field)
    codes = codes or {}
    refused_fields[key] = field
    codes[key], worst = code, worst and is_fatal(worst) and worst or code
  end
  for plan, projection in ipairs(projections) do
    if rows[plan][1] then
      local forbidden = check_permissions({ 'HSET', rows[plan][1][projection.key], 'field', 'value' })
      if forbidden then return nil, forbidden end
      projection.check(rows[plan], reserved, refuse)
    end
  end
  if worst and is_fatal(worst) then return nil, worst end
  return rows, problems, folded, codes
end

-- A dead letter's text, cut between two characters.
local function shortened(text)
  if #text <= 1000 then return text end
  local size = 1000
  while size > 996 and string.find(text, '^[\128-\191]', size + 1) do
    size = size - 1
  end
  return string.sub(text, 1, size)
end

-- The first key that an entry touches and that refused, and its code.
local function refusal_of(entry, codes)
  for _, key in ipairs(keys_of(entry[2])) do
    if codes[key] then return key, codes[key] end
  end
end

-- Makes dead letters of the entries that a hash cannot take. Where several entries together would overflow a counter,
-- fewer are taken, so that those that still fit go through. Returns the new number of entries.
local function without_refused(n, skipped, problems, codes)
  local overflows, is_skipping = false, false
  for at = 1, n do
    if not skipped[at] and not problems[at] then
      local key, code = refusal_of(entries[at], codes)
      if code == 'overflow' and n > 1 then
        overflows = true
      elseif code then
        local field = refused_fields[key]
        local why = (field and 'field "' .. field .. '" ' or '') .. (refusal_texts[code] or code)
        skipped[at] = shortened('Cannot apply to "' .. key .. '": ' .. why)
        is_skipping = true
      end
    end
  end
  if is_skipping then return n end
  -- No entry to blame would be an endless loop.
  return overflows and math.ceil(n / 2) or error('a key refused that no entry touches')
end

-- The first key to which two projections lead: each would compute its values without those of the other.
local function find_meeting(rows)
  if not may_meet then return nil end
  local seen = {}
  for plan, projection in ipairs(projections) do
    for _, row in ipairs(rows[plan]) do
      local key = row[projection.key]
      if seen[key] then return key end
      seen[key] = true
    end
  end
end

local n, skipped = #entries, {}
local rows, problems, folded, codes
repeat
  rows, problems, folded, codes = prepare(n, skipped)
  if not rows then return { 'error', problems } end
  if codes then n = without_refused(n, skipped, problems, codes) end
until not codes
local meeting = find_meeting(rows)
if meeting then return { 'meeting', meeting } end

local letters, told = {}, {}
for at = 1, n do
  local text = problems[at] or skipped[at]
  if text then
    local letter = { entries[at][1], problems[at] and 'undecodable' or 'refused', text }
    letters[#letters + 1] = letter
    for _, value in ipairs(letter) do
      told[#told + 1] = value
    end
  end
end

local read = { 'XREADGROUP', 'GROUP', group, consumer, 'COUNT', n, 'NOACK', 'STREAMS', stream, '>' }
local move = { 'XGROUP', 'SETID', stream, group, entries[n][1] }
problem = check_permissions(read, move) or (#letters > 0 and check_dead_letters(target))
if problem then return { 'error', problem } end

-- From here on nothing can fail.
write_dead_letters(stream, target, consumer, letters)
-- Reading the entries again would cost as much as all the rest. While the server knows how many entries the group has
-- read, and some of them are still in the stream, adding to that number is what it would do itself; only the last entry
-- is read, so that the server ends the move in its own way. Otherwise (a fresh group, deleted or trimmed entries) all are.
local entries_read, lag = flat_value(ledger.info, 'entries-read'), flat_value(ledger.info, 'lag')
if n > 1 and entries_read and lag and lag < redis.call('XLEN', stream) then
  redis.call('XGROUP', 'SETID', stream, group, entries[n - 1][1], 'ENTRIESREAD', entries_read + n - 1)
  read[6] = 1
end
redis.call(unpack(read))
for plan, projection in ipairs(projections) do
  projection.write(rows[plan])
end
ledger.delivered = entries[n][1]
settle_in_ledger(ledger, folded, #letters, entries[n][1])
local rest = (n < #entries or not is_end) and 1 or 0
return { 'drained', n, folded, entries[n][1], rest, told, began, bytes, entries[1][1] }
