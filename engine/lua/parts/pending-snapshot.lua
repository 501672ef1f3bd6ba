-- What the sweeps note about pending entries, so that after the loss of the group little remains unknown. Not a script
-- of its own: it stands in front of the sweep, behind `ledger.lua`. Fields of the ledger:
--   pendingIds   ids of the oldest pending entries, ascending, and of those redriven since, with a space between
--   pendingUpTo  how far this reaches: the last delivered id, or the last of the ids when there are more
-- An entry up to there that was not among them is settled for ever, whatever was settled since. One that is redriven is
-- the exception: then `redriven_in_ledger` adds it, or when many are takes back what was noted behind it.
-- Guards:
--   begun: notes nothing before the ledger has begun
--   recovering: notes nothing while a recovery is unfinished
--   moved-back: notes nothing where the last delivered id has gone back
--   settled: notes nothing where something is pending that was settled
--   rights: lets the sweep go on where nothing may be noted
-- @include parts/checks
-- @include parts/ledger

local SNAPSHOT_MAX = 500 -- about 0.7 ms, and 10 kB of the ledger

-- Notes what is pending, if it changed. Nothing when the group is not what the ledger knows: then the old note counts.
local function note_pending(key, stream, group, has_pending)
  local fields = { 'since', 'delivered', 'firstPending', 'pendingUpTo', 'pendingIds', 'recovering', 'top' }
  local held = redis.pcall('HMGET', key, unpack(fields))
  if held.err or not held[1] or held[6] then return end
  if check_permissions({ 'HSET', key, 'pendingUpTo', '0' }) then return end
  local info = group_info(stream, group)
  local up_to = info and flat_value(info, 'last-delivered-id')
  if not up_to or is_before(up_to, id_or(held[2], '0-0')) then return end
  local rows = has_pending and redis.call('XPENDING', stream, group, '-', '+', SNAPSHOT_MAX + 1) or {}
  local ids = {}
  for at = 1, math.min(#rows, SNAPSHOT_MAX) do
    ids[at] = rows[at][1]
  end
  if #rows > SNAPSHOT_MAX then up_to = ids[SNAPSHOT_MAX] end
  local text = table.concat(ids, ' ')
  if up_to == held[4] and text == held[5] then return end
  local known = {
    key = key,
    top = id_or(held[7], '0-0'),
    first_pending = id_or(held[3], ''),
    pending_up_to = id_or(held[4], ''),
  }
  if ids[1] and was_any_settled(known, ids) then return end
  redis.call('HSET', key, 'pendingUpTo', up_to, 'pendingIds', text)
end
