-- The ledger of a group: counters that must balance, and how far the group has got. Not a script of its own: it stands
-- in front of those that settle entries. A hash with the fields
--   applied, deadLettered, redriven, purged   entries, ever
--   since         when it began (ms)
--   lettersFrom   id of the newest dead letter when it began
--   skipped       entries that were delivered before it began and are not pending; empty: unknown
--   top           the greatest id that was settled: applied, or made a dead letter
--   delivered     the group's last delivered id at the last settlement
--   firstPending  the oldest pending id after the last settlement; empty: none
--   pendingIds, pendingUpTo   what the last sweep saw (`pending-snapshot.lua`)
--   recovering, recoveredUpTo  a recovery has begun and is not finished (`recovery.lua`)
--   definition    digest of the projections by which it folds (`define.lua`)
--   moved         when it was found that the group had been moved back (ms); nothing is settled until a recovery
-- What lies before the first pending id, or without one up to the top, is settled; so is what the last sweep did not see
-- among the pending ones. An entry of there that is to be settled again shows that the group was moved back, or created
-- again, or a claim was forced.
-- Guards:
--   rights: has all rights before its first write
--   marked: settles nothing once the group was found moved back, or while a recovery is unfinished
--   delivered: knows by the last delivered id that the group was moved back, and keeps it in mind
--   first-pending: settles nothing before the first pending entry again
--   seen: settles nothing again that the last sweep did not see pending, and takes nothing behind that for settled
--   top: settles nothing again up to the greatest id, once nothing is pending
--   odd-values: reads values that are none of ours as if they were not there: nothing fails after the first write
--   types: settles nothing while the ledger has another type
--   letters-from: is no younger than the dead letters that it counts
--   redriven: takes what is redriven for settled no more, although a sweep saw it so
-- @include parts/checks

local LEDGER_COUNTERS = { 'applied', 'deadLettered', 'redriven', 'since' }
local LEDGER_PLACES = { 'top', 'delivered', 'firstPending', 'pendingUpTo', 'recovering', 'moved', 'lettersFrom' }

-- The note of a sweep has up to 500 ids, of 15 to 41 bytes.
local NOTED_BYTES_MAX = 30000

-- Notes that the group was moved back, so that nothing of it is settled before a recovery: what was delivered twice looks
-- like any pending entry. Returns the error code.
local function moved_back(key)
  redis.call('HSET', key, 'moved', now_ms())
  return 'moved-back'
end

-- The id that the last dead letter has or had.
local function last_letter(dead)
  local info = redis.pcall('XINFO', 'STREAM', dead)
  return info.err and '0-0' or flat_value(info, 'last-generated-id')
end

-- Reads and checks; returns the ledger or nil and an error code. `group` is nil for a reader without a group.
local function open_ledger(key, stream, group, dead)
  local counters = redis.pcall('HMGET', key, unpack(LEDGER_COUNTERS))
  if counters.err then return nil, error_code(counters.err, 'HMGET', key) end
  local places = redis.call('HMGET', key, unpack(LEDGER_PLACES))
  local problem = check_permissions({ 'HSET', key, 'applied', '0' })
  if problem then return nil, problem end
  local ledger = {
    key = key,
    stream = stream,
    group = group,
    applied = tonumber(counters[1] or 0) or 0,
    dead = tonumber(counters[2] or 0) or 0,
    redriven = tonumber(counters[3] or 0) or 0,
    since = counters[4],
    -- Read before any dead letter is written, so that none is older than the ledger.
    begins = not counters[4] and now_ms() or nil,
    letters_from = counters[4] and id_or(places[7], '0-0') or last_letter(dead),
    top = id_or(places[1], '0-0'),
    delivered = '0-0',
    first_pending = id_or(places[3], ''),
    pending_up_to = id_or(places[4], ''),
  }
  if group then
    if places[5] or places[6] then return nil, 'moved-back' end
    local info
    info, problem = group_info(stream, group)
    if not info then return nil, problem end
    ledger.info = info
    ledger.delivered = flat_value(info, 'last-delivered-id')
    if is_before(ledger.delivered, id_or(places[2], '0-0')) then return nil, moved_back(key) end
    if not ledger.since then
      local read = flat_value(info, 'entries-read')
      ledger.skipped = read and read - flat_value(info, 'pending') or ''
    end
  end
  return ledger
end

-- The ids of the last sweep's pending entries, as a set.
local function snapshot_of(text)
  local ids = {}
  for id in string.gmatch(text or '', '%S+') do
    ids[id] = true
  end
  return ids
end

-- Whether one of these ids, ascending and delivered, was settled before.
local function was_any_settled(ledger, ids)
  if ledger.first_pending == '' then
    if not is_before(ledger.top, ids[1]) then return true end
  elseif is_before(ids[1], ledger.first_pending) then
    return true
  end
  local up_to = ledger.pending_up_to
  if up_to == '' or is_before(up_to, ids[1]) then return false end
  local seen = snapshot_of(redis.call('HMGET', ledger.key, 'pendingIds')[1])
  for _, id in ipairs(ids) do
    if not seen[id] then return not is_before(up_to, id) end
  end
  return false
end

-- The oldest pending id of the group, or empty.
local function first_pending(ledger)
  local rows = redis.call('XPENDING', ledger.stream, ledger.group, '-', '+', 1)
  return rows[1] and rows[1][1] or ''
end

-- Counts an entry that is pending again after it was a dead letter. Cannot fail after open_ledger.
local function redriven_in_ledger(ledger, id)
  redis.call('HSET', ledger.key, 'redriven', ledger.redriven + 1, 'firstPending', first_pending(ledger))
  if ledger.pending_up_to == '' or is_before(ledger.pending_up_to, id) then return end
  -- The last sweep saw it settled.
  local seen = redis.call('HMGET', ledger.key, 'pendingIds')[1] or ''
  if string.find(' ' .. seen .. ' ', ' ' .. id .. ' ', 1, true) then return end
  if #seen < NOTED_BYTES_MAX then
    redis.call('HSET', ledger.key, 'pendingIds', seen == '' and id or seen .. ' ' .. id)
    return
  end
  -- Too many are redriven: what it saw holds only before this id, until the next sweep.
  local kept = {}
  for other in string.gmatch(seen, '%S+') do
    if is_before(other, id) then kept[#kept + 1] = other end
  end
  kept[#kept + 1] = id
  redis.call('HSET', ledger.key, 'pendingUpTo', id, 'pendingIds', table.concat(kept, ' '))
end

-- Counts entries that this call has settled; `top` is the greatest of their ids. Cannot fail after open_ledger.
local function settle_in_ledger(ledger, applied, dead, top)
  if not is_before(ledger.top, top) then top = ledger.top end
  local write = { 'HSET', ledger.key, 'applied', ledger.applied + applied, 'deadLettered', ledger.dead + dead, 'top', top }
  if ledger.group then
    for _, value in ipairs({ 'delivered', ledger.delivered, 'firstPending', first_pending(ledger) }) do
      write[#write + 1] = value
    end
  end
  if not ledger.since then
    local begun = { 'since', ledger.begins, 'skipped', ledger.skipped or 0, 'lettersFrom', ledger.letters_from }
    for _, value in ipairs(begun) do
      write[#write + 1] = value
    end
  end
  redis.call(unpack(write))
end
