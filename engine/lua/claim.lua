#!lua flags=allow-oom
-- Claims pending entries of one consumer that has no living lease: a step over its pending entries list. An entry whose
-- body was trimmed or deleted cannot be claimed: Redis drops it from the list here, so it leaves a dead letter.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] leases  KEYS[4] holders  KEYS[5] ledger
-- ARGV[1] group  ARGV[2] consumer that claims  ARGV[3] consumer to claim from  ARGV[4] least idle time (ms)
-- ARGV[5] id to begin after, or '-'  ARGV[6] entries to look at, at most  ARGV[7] entries to claim, at most
-- Returns { id to begin after next, or '' at the end, { entry ... }, { lost id ... } } or { 'error', code }.
-- Guards:
--   alive: takes nothing from an owner that has come back since the sweep
--   owner: takes nothing from anybody but the one that was swept
--   idle: takes nothing that was not idle for as long as asked
--   moved-back: takes nothing of a group that was moved back
--   letters: takes nothing while the dead letters have no place
--   last-id: ends behind the last possible id
--   rights: has all rights before its first write
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters
-- @include parts/read-in-steps

local group, claimer, owner = ARGV[1], ARGV[2], ARGV[3]
if ARGV[5] == LAST_ID then return { '', {}, {} } end -- nothing is behind it
local start = ARGV[5] == '-' and '-' or '(' .. ARGV[5]
local rows = redis.pcall('XPENDING', KEYS[1], group, start, '+', ARGV[6], owner)
if rows.err then return { 'error', error_code(rows.err, 'XPENDING', KEYS[1]) } end
local problem = check_dead_letters(KEYS[2]) or check_permissions({ 'XCLAIM', KEYS[1], group, claimer, '0', '0-1' })
if problem then return { 'error', problem } end
local ledger
ledger, problem = open_ledger(KEYS[5], KEYS[1], group, KEYS[2])
if not ledger then return { 'error', problem } end

-- It may have come back since the sweep began.
if lease_left(KEYS[3], KEYS[4], owner, now_ms()) > 0 then return { '', {}, {} } end

local ids, last_seen = {}, rows[#rows] and rows[#rows][1]
for _, row in ipairs(rows) do
  if row[3] >= tonumber(ARGV[4]) then
    if #ids == tonumber(ARGV[7]) then break end
    ids[#ids + 1] = row[1]
  end
end
local is_end = #rows < tonumber(ARGV[6])
if #ids == tonumber(ARGV[7]) and ids[#ids] ~= last_seen then
  is_end, last_seen = false, ids[#ids]
end
local next_start = is_end and '' or last_seen
if #ids == 0 then return { next_start, {}, {} } end

-- In steps, the first one of a single entry, until there are enough bytes.
local STEP_MAX = 8
local has_body, claimed, tried, step = {}, {}, 0, 1
repeat
  local up_to = math.min(tried + step, #ids)
  for _, entry in ipairs(redis.call('XCLAIM', KEYS[1], group, claimer, 0, unpack(ids, tried + 1, up_to))) do
    -- Some versions return nothing for an entry without a body.
    if entry and entry[2] then
      has_body[entry[1]] = true
      claimed[#claimed + 1] = entry
      bytes_left = bytes_left - size_of(entry)
    end
  end
  tried = up_to
  step = math.min(STEP_MAX, math.max(1, math.floor(bytes_left / (BYTES_MAX - bytes_left) * tried)))
until tried == #ids or bytes_left <= 0
if tried < #ids then next_start = ids[tried] end
local lost, letters = {}, {}
for at = 1, tried do
  local id = ids[at]
  if not has_body[id] then
    lost[#lost + 1] = id
    letters[#letters + 1] = { id, 'lost', 'the entry was trimmed or deleted before it was processed' }
  end
end
if #letters > 0 then
  write_dead_letters(KEYS[1], KEYS[2], claimer, letters)
  settle_in_ledger(ledger, 0, #letters, lost[#lost])
end
return { next_start, claimed, lost }
