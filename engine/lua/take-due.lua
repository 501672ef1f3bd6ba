#!lua flags=allow-oom
-- Takes over entries whose next attempt is due, and says when the one after them is.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] retries  KEYS[4] ledger  KEYS[5] attempts
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] parking consumer  ARGV[4] count; large ones are taken up to a number of bytes
-- Returns { ms until the next one is due (empty: there is none), { entry ... }, { lost id ... } }, or { 'error', code }.
-- Guards:
--   parked: takes nothing that somebody has moved or acknowledged meanwhile
--   moved-back: takes nothing of a group that was moved back
--   types: takes nothing while dead letters or schedule have another type
--   no-id: throws out what is no id, and takes the others
--   lost: makes one dead letter of an entry whose body is gone, and counts it
--   rights: has all rights before its first write
-- @include parts/checks
-- @include parts/ledger
-- @include parts/dead-letters
-- @include parts/read-in-steps
-- @include parts/retry-schedule

local stream, retries, group = KEYS[1], KEYS[3], ARGV[1]
local now = now_ms()
local size = redis.pcall('ZCARD', retries)
if type(size) == 'table' then return { 'error', error_code(size.err, 'ZCARD', retries) } end
local due, next_in = look_at_schedule(retries, KEYS[5], now, tonumber(ARGV[4]))
local entries, lost, letters = {}, {}, {}
if #due > 0 then
  local problem = check_dead_letters(KEYS[2])
    or check_permissions(
      { 'XCLAIM', stream, group, ARGV[2], '0', '0-1' },
      { 'ZREM', retries, '0-1' },
      { 'XACK', stream, group, '0-1' }
    )
  if problem then return { 'error', problem } end
  local ledger
  ledger, problem = open_ledger(KEYS[4], stream, group, KEYS[2])
  if not ledger then return { 'error', problem } end
  local is_parked = {}
  for _, id in ipairs(due) do
    local held = redis.pcall('XPENDING', stream, group, id, id, 1, ARGV[3])
    -- What is no id was put there by somebody else, and goes with the others.
    if held.err and not string.find(held.err, 'Invalid stream ID', 1, true) then
      return { 'error', error_code(held.err, 'XPENDING', stream) }
    end
    is_parked[id] = #held == 1
  end
  local tried = 0
  while tried < #due and bytes_left > 0 do
    tried = tried + 1
    local id = due[tried]
    -- Somebody may have moved or acknowledged it by hand.
    if is_parked[id] then
      -- Of an entry whose body is gone it returns nothing.
      local entry = redis.call('XCLAIM', stream, group, ARGV[2], 0, id)[1]
      if entry and entry[2] then
        entries[#entries + 1] = entry
        bytes_left = bytes_left - size_of(entry)
      else
        lost[#lost + 1] = id
        letters[#letters + 1] = { id, 'lost', 'the entry was trimmed or deleted before it was processed' }
      end
    end
  end
  if tried < #due then next_in = 0 end
  redis.call('ZREM', retries, unpack(due, 1, tried))
  if #letters > 0 then
    write_dead_letters(stream, KEYS[2], ARGV[2], letters)
    redis.call('XACK', stream, group, unpack(lost))
    local top = lost[1] -- They are in the order in which they were due.
    for _, id in ipairs(lost) do
      if is_before(top, id) then top = id end
    end
    settle_in_ledger(ledger, 0, #letters, top)
  end
end
return { next_in or '', entries, lost }
