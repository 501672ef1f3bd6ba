-- Drains a part of what is undelivered in a group, in the server: reads entries, decodes them, folds them to one row per
-- hash, and writes effects and dead letters together with the group's position. In front of it stands what was compiled
-- from the declaration: `decode`, `fold`, `keys_of`, `may_meet`, `projections`, `refusal_texts`.
-- Everything is read with XRANGE, which moves nothing, and checked; only then the position moves and the writes follow.
-- So whatever fails before leaves the entries undelivered.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] holders  KEYS[4] ledger  KEYS[5] attempts
-- KEYS[6...] rankings  (the hashes follow from the entries)
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] token of the lease, empty for none  ARGV[4] entries at most
-- Returns one of
--   { 'drained', taken, applied, last id, 1 when entries may be left, { entry id, reason, error ... }, began }
--                         taken: entries that were delivered; the rest of them are dead letters
--                         began: when this call did, on the server's clock (microseconds); 0 without the right to TIME
--   { 'empty', last id }  nothing is undelivered
--   { 'superseded' }      the lease is not this process's. Nothing written.
--   { 'meeting', key }    two projections meet in one key. Nothing written.
--   { 'error', code }     no-group, moved-back, wrong-type (of the stream, the dead-letter stream, the ledger or a ranking),
--                         no-permission. Nothing written.

local stream, target, holders, group, consumer = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
local count = tonumber(ARGV[4])
local time = redis.pcall('TIME')
local began = time.err and 0 or time[1] * 1000000 + time[2]

if ARGV[3] ~= '' then
  local holder = redis.pcall('HGET', holders, consumer)
  if type(holder) == 'table' then return { 'error', error_code(holder.err) } end
  if holder_of(holder) ~= ARGV[3] then return { 'superseded' } end
end

local ledger, problem = open_ledger(KEYS[4], stream, group, target)
if not ledger then return { 'error', problem } end
local entries = redis.pcall('XRANGE', stream, '(' .. ledger.delivered, '+', 'COUNT', count)
if entries.err then return { 'error', error_code(entries.err) } end
if #entries == 0 then return { 'empty', ledger.delivered } end
if was_any_settled(ledger, { entries[1][1] }) then return { 'error', moved_back(KEYS[4]) } end

local reserved = {}
for _, key in ipairs(KEYS) do
  reserved[key] = true
end
problem = check_rankings(projections, 5)
if problem then return { 'error', problem } end

-- Folds and checks the first `n` entries without those that are skipped. Returns the rows per plan, the problems of
-- entries that cannot be decoded, the number of entries folded, and the codes of the keys that refused.
local function prepare(n, skipped)
  local rows, problems, folded = fold(entries, n, skipped)
  local codes, worst
  local function refuse(key, code)
    codes = codes or {}
    codes[key], worst = code, worst == 'no-permission' and worst or code
  end
  for plan, projection in ipairs(projections) do
    if rows[plan][1] then
      if check_permissions({ 'HSET', rows[plan][1][projection.key], 'field', 'value' }) then return nil, 'no-permission' end
      projection.check(rows[plan], reserved, refuse)
    end
  end
  if worst == 'no-permission' then return nil, worst end
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
        skipped[at] = shortened('Cannot apply to "' .. key .. '": ' .. (refusal_texts[code] or code))
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
return { 'drained', n, folded, entries[n][1], (n < #entries or n == count) and 1 or 0, told, began }
