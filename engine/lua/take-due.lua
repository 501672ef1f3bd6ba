-- Takes over entries whose next attempt is due, and says when the one after them is.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] retries  KEYS[4] ledger  KEYS[5] attempts
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] parking consumer  ARGV[4] count
-- Returns { ms until the next one is due (empty: there is none), { entry ... }, { lost id ... } }, or { 'error', code }.

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
  for _, id in ipairs(due) do
    -- Somebody may have moved or acknowledged it by hand.
    if is_parked[id] then
      if #redis.call('XRANGE', stream, id, id) == 1 then
        entries[#entries + 1] = redis.call('XCLAIM', stream, group, ARGV[2], 0, id)[1]
      else
        lost[#lost + 1] = id
        letters[#letters + 1] = { id, 'lost', 'the entry was trimmed or deleted before it was processed' }
      end
    end
  end
  redis.call('ZREM', retries, unpack(due))
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
