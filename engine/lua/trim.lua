#!lua flags=allow-oom
-- Removes what nobody needs any more from the head of a stream, one bounded step. What is needed is found in this same
-- call, so no group can be overtaken: an entry stays when it is pending or undelivered in a group, not settled for
-- certain by the ledger of one that was lost or moved forward, not yet behind the position of a reader, or in the reserve.
-- KEYS[1] stream  KEYS[2] ledger of the stream: hash, `trimmed` counts what was removed here
-- KEYS[3...] ledgers of groups, then positions of readers without a group
-- ARGV[1] entries to remove at most; 0 only explains
-- ARGV[2] newest entries to keep  ARGV[3] age (ms) to keep; empty: none
-- ARGV[4] how many groups  ARGV[5...] their names: all that exist, and those that have to
-- and for each position, what it means when the key is missing: 'hold' the whole stream, or 'ignore' the reader
-- Returns one of
--   { 'unread' }     neither a group nor a reader: nothing says what is still needed. Nothing removed.
--   { 'unnamed' }    there is a group that was not named. Nothing removed.
--   { 'trimmed', removed, length, is_more (0, 1), frontier, holder, cut }
--       frontier: entries with a smaller id are needed by no group and no reader
--       holder: { 'pending', group, id, consumer, idle (ms), deliveries }, { 'last-delivered', group, id },
--               { 'lost', group, id }: it is not there any more, { 'unaccounted', group, id }: from there on entries were
--               delivered that are neither pending nor settled, or { 'position', key, id }
--       cut: entries with a smaller id may go by frontier and age; the count to keep is not in it
--   { 'error', code } no-stream, wrong-type, wrong-position, no-permission. Nothing removed.
-- Guards:
--   pending: removes nothing that is pending
--   undelivered: removes nothing that a group is yet to be delivered
--   position: removes nothing that a reader is yet to read, nor anything where it has not begun
--   unread: removes nothing where nothing says what is needed
--   reserve: keeps the newest entries that it is told to
--   no-position: removes nothing where a position is none
--   counted: removes nothing that it cannot count
--   lost: removes nothing that a group that is not there any more had not settled for certain
--   unaccounted: removes nothing that was delivered and is neither pending nor settled
--   anew: removes nothing of a stream that was made anew, before the recovery of a group
--   odd-values: takes a place in a ledger that is no id for the beginning, so that everything stays
-- @include parts/checks
-- @include parts/read-in-steps

local stream = KEYS[1]
local step, keep_entries, keep_ms = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

-- Entries that are removed one by one, after whole nodes of the stream: a node holds 100 unless it is configured.
local SINGLY_MAX = 500

local group_count = tonumber(ARGV[4])

local holder
local function hold(candidate)
  if not holder or is_before(candidate[3], holder[3]) then holder = candidate end
end

-- Holds what a group has not settled for certain, as its ledger says. Returns an error code.
-- `frontier`: the first entry that the group itself needs; nil when the group is not there.
local function hold_unsettled(name, key, frontier)
  local held = redis.pcall('HMGET', key, 'since', 'top', 'delivered', 'firstPending', 'recovering')
  if held.err then return error_code(held.err, 'HMGET', key) end
  -- A group that is there and has settled nothing yet may be worked off by others.
  if not held[1] or (frontier and not held[2]) then return nil end
  -- What is no id holds everything.
  local id = id_or(held[2] or held[3], '0-0')
  local first = id_or(held[4], '')
  if first ~= '' and is_before(first, id) then id = first end
  local last = flat_value(redis.call('XINFO', 'STREAM', stream), 'last-generated-id')
  -- Any entry of a stream that was made anew may be one that was restored.
  if held[5] == 'anew' or is_before(last, id) then id = '0-0' end
  if not frontier then
    hold({ 'lost', name, id })
  elseif is_before(id, frontier) then
    -- The entry at the top is settled, the one that was the oldest pending is not.
    local from = id == first and id or '(' .. id
    if #redis.call('XRANGE', stream, from, '(' .. frontier, 'COUNT', 1) > 0 then hold({ 'unaccounted', name, id }) end
  end
end

local ledgers = {}
for at = 1, group_count do
  ledgers[ARGV[4 + at]] = KEYS[2 + at]
end
local groups = redis.pcall('XINFO', 'GROUPS', stream)
if groups.err then
  local is_missing = string.find(groups.err, 'no such key', 1, true)
  return { 'error', is_missing and 'no-stream' or error_code(groups.err, 'XINFO GROUPS', stream) }
end
for _, group in ipairs(groups) do
  local name = flat_value(group, 'name')
  local ledger = ledgers[name]
  -- One with a name that is none of ours has no ledger.
  if not ledger and string.find(name, '^[%w%._:%-]+$') and #name <= 64 then return { 'unnamed' } end
  -- Also where something is pending: a group may have been moved back behind it.
  local frontier = flat_value(group, 'last-delivered-id')
  hold({ 'last-delivered', name, frontier })
  if flat_value(group, 'pending') > 0 then
    local rows = redis.pcall('XPENDING', stream, name, '-', '+', 1)
    if rows.err then return { 'error', error_code(rows.err, 'XPENDING', stream) } end
    local oldest = rows[1]
    if oldest then
      hold({ 'pending', name, oldest[1], oldest[2], oldest[3], oldest[4] })
      if is_before(oldest[1], frontier) then frontier = oldest[1] end
    end
  end
  local code = ledger and hold_unsettled(name, ledger, frontier)
  if code then return { 'error', code } end
  ledgers[name] = nil
end
for name, key in pairs(ledgers) do
  local code = hold_unsettled(name, key, nil)
  if code then return { 'error', code } end
end
for at = 3 + group_count, #KEYS do
  local position = redis.pcall('GET', KEYS[at])
  if type(position) == 'table' then return { 'error', error_code(position.err, 'GET', KEYS[at]) } end
  if position then
    local time, sequence = string.match(position, '^0*(%d+)%-0*(%d+)$')
    if not time or #position > 41 then return { 'error', 'wrong-position' } end
    hold({ 'position', KEYS[at], time .. '-' .. sequence })
  elseif ARGV[2 + at] ~= 'ignore' then
    hold({ 'position', KEYS[at], '0-0' })
  end
end
if not holder then return { 'unread' } end

local frontier = holder[3]
local cut = frontier
if keep_ms then
  local now = redis.call('TIME')
  local from = tonumber(now[1]) * 1000 + math.floor(tonumber(now[2]) / 1000) - keep_ms
  local youngest = string.format('%.0f-0', math.max(0, from))
  if is_before(youngest, cut) then cut = youngest end
end

local trimmed = redis.pcall('HGET', KEYS[2], 'trimmed')
if type(trimmed) == 'table' then return { 'error', error_code(trimmed.err, 'HGET', KEYS[2]) } end
local problem = step > 0 and check_permissions({ 'HSET', KEYS[2], 'trimmed', '0' }, { 'XRANGE', stream, '-', '+' })
if problem then return { 'error', problem } end
local length = redis.call('XLEN', stream)
local removed = 0
local room = math.min(step, length - keep_entries)
if cut ~= '0-0' and room > 0 then
  -- Whole nodes first: LIMIT bounds their entries, and no body is read.
  removed = redis.pcall('XTRIM', stream, 'MINID', '~', cut, 'LIMIT', room)
  if type(removed) == 'table' then return { 'error', error_code(removed.err, 'XTRIM', stream) } end
  local rest = math.min(room - removed, SINGLY_MAX)
  if rest > 0 then
    -- Of these nobody needs any; large ones are looked at, and go, a few a call.
    local looked = read_in_steps('XRANGE', stream, '-', '(' .. cut, rest)
    if looked > 0 then
      removed = removed + redis.call('XTRIM', stream, 'MAXLEN', '=', length - removed - looked)
    end
  end
end
if removed > 0 then redis.call('HSET', KEYS[2], 'trimmed', (tonumber(trimmed or 0) or 0) + removed) end
length = length - removed
local is_more = cut ~= '0-0' and length > keep_entries and #redis.call('XRANGE', stream, '-', '(' .. cut, 'COUNT', 1)
return { 'trimmed', removed, length, is_more or 0, frontier, holder, cut }
