-- Takes over entries whose next attempt is due, and says when the one after them is.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] retries  KEYS[4] ledger
-- ARGV[1] group  ARGV[2] consumer  ARGV[3] parking consumer  ARGV[4] count
-- Returns { ms until the next one is due (empty: there is none), { entry ... }, { lost id ... } }, or { 'error', code }.

local stream, retries, group = KEYS[1], KEYS[3], ARGV[1]
local now = now_ms()
local due = redis.pcall('ZRANGE', retries, '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[4])
if due.err then return { 'error', error_code(due.err) } end
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
  ledger, problem = open_ledger(KEYS[4], stream, group)
  if not ledger then return { 'error', problem } end
  for _, id in ipairs(due) do
    -- Somebody may have moved or acknowledged it by hand.
    if #redis.call('XPENDING', stream, group, id, id, 1, ARGV[3]) == 1 then
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
    settle_in_ledger(ledger, 0, #letters, lost[#lost])
  end
end
local next_due = redis.call('ZRANGE', retries, 0, 0, 'WITHSCORES')[2]
return { next_due and math.max(0, next_due - now) or '', entries, lost }
