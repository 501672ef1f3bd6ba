#!lua
-- Appends entries, those with an idempotency key once: check and append are this one call. No `allow-oom`: on a full
-- server it is refused whole, before it begins.
-- KEYS[1] stream  KEYS[2] hash: how many keys are remembered, by the time (ms) until which they are
-- KEYS[3...] one string for each entry that has an idempotency key, in the order of the entries: '<entry id> <fingerprint>'
-- ARGV[1] number of fields  ARGV[2...] their names
-- then: 1 for all or nothing, else 0; 1 when a replay is to be a write too (a WAIT behind it then covers the entry that
-- another connection has appended), else 0; how long a key is remembered (ms); how many keys may be remembered
-- then for each entry: its values, and the fingerprint of its content, empty when it has no idempotency key
-- Returns { outcomes joined by spaces }, one for each entry:
--   <id>   appended
--   r<id>  its key was used for the same content: this entry was appended then
--   m      its key was used for other content; not appended
--   f      too many keys are remembered; not appended
--   h      all or nothing: not appended, because another one is m or f
-- or { 'error', code } wrong-type, no-permission, exhausted (the stream is at its last possible id). Nothing written.
-- Guards:
--   once: a key replays the entry it was used for, and refuses other content
--   atomic: all or nothing: appends nothing while one entry is refused
--   bound: remembers no more keys than it may
--   time: a replay that writes leaves the key its time
--   replay: a replay with replicas is a write, which the WAIT behind it covers
--   key-type: appends nothing by a key of another type
--   rights: has all rights before the first entry
-- @include parts/checks

local stream, counts = KEYS[1], KEYS[2]
local width = tonumber(ARGV[1])
local is_atomic, rewrites = ARGV[2 + width] == '1', ARGV[3 + width] == '1'
local ttl, keys_max = tonumber(ARGV[4 + width]), tonumber(ARGV[5 + width])
local first, stride = 6 + width, width + 1
local has_keys = #KEYS > 2

local kind = redis.call('TYPE', stream).ok
if kind ~= 'none' and kind ~= 'stream' then return { 'error', wrong_type(KEYS[1]) } end
local problem = check_permissions({ 'XADD', stream, '*', 'field', 'value' })
if problem then return { 'error', problem } end

local SLICES = 8 -- keys are counted together for an eighth of their time
local remembered, forget_at, stale = 0, nil, {}
-- Outcomes that are known before anything is written; and for entries that are to be appended, their key.
local outcomes, key_of, original, replayed = {}, {}, {}, {}

-- Returns an error code, or nothing.
local function read_counts()
  local flat = redis.pcall('HGETALL', counts)
  if flat.err then return error_code(flat.err, 'HGETALL', counts) end
  local now = now_ms()
  local slice = math.max(1, math.floor(ttl / SLICES))
  forget_at = string.format('%.0f', (math.floor(now / slice) + 1) * slice + ttl)
  for at = 1, #flat, 2 do
    if flat[at] == forget_at and not string.find(flat[at + 1], '^%d+$') then return wrong_type(counts) end
    if (tonumber(flat[at]) or 0) <= now then
      stale[#stale + 1] = flat[at]
    else
      remembered = remembered + (tonumber(flat[at + 1]) or 0)
    end
  end
  return nil
end

-- Looks at each key. Returns an error code or nothing, how many are new, and whether one is refused.
local function read_keys()
  local seen, new, is_refused = {}, 0, false
  local key_at = 2
  for at = first, #ARGV, stride do
    local fingerprint = ARGV[at + width]
    local item = (at - first) / stride + 1
    if fingerprint ~= '' then
      key_at = key_at + 1
      local key = KEYS[key_at]
      local held = redis.pcall('GET', key)
      if type(held) == 'table' then return error_code(held.err, 'GET', key) end
      local same = seen[key]
      if held then
        local id, known = string.match(held, '^(%S+) (%S+)$')
        outcomes[item] = known == fingerprint and 'r' .. id or 'm'
        if known == fingerprint then replayed[key] = held end
      elseif same then
        -- The same key twice in one call: the first one counts.
        if same.fingerprint == fingerprint then original[item] = same.item else outcomes[item] = 'm' end
      elseif remembered + new >= keys_max then
        outcomes[item] = 'f'
      else
        new = new + 1
        seen[key] = { item = item, fingerprint = fingerprint }
        key_of[item] = key
      end
      is_refused = is_refused or outcomes[item] == 'm' or outcomes[item] == 'f'
    end
  end
  return nil, new, is_refused
end

local new = 0
if has_keys then
  local is_refused
  problem = read_counts() or check_permissions(
    { 'SET', KEYS[3], '', 'PX', '1' },
    { 'HINCRBY', counts, forget_at, '1' },
    { 'HDEL', counts, forget_at },
    { 'PEXPIRE', counts, '1' }
  )
  if problem then return { 'error', problem } end
  problem, new, is_refused = read_keys()
  if problem then return { 'error', problem } end
  if is_atomic and is_refused then
    for item = 1, (#ARGV - first + 1) / stride do
      outcomes[item] = outcomes[item] or 'h'
    end
    return { table.concat(outcomes, ' ') }
  end
end

local command = { 'XADD', stream, '*' }
for at = 1, width do
  command[2 + 2 * at] = ARGV[1 + at]
end
local is_begun = false
for at = first, #ARGV, stride do
  local item = (at - first) / stride + 1
  if original[item] then
    outcomes[item] = 'r' .. outcomes[original[item]]
  elseif not outcomes[item] then
    for field = 1, width do
      command[3 + 2 * field] = ARGV[at + field - 1]
    end
    -- The first append is the first write, and it alone can fail: where the ids are used up.
    local id = is_begun and redis.call(unpack(command)) or redis.pcall(unpack(command))
    if type(id) == 'table' then
      local is_exhausted = string.find(id.err, 'exhausted', 1, true)
      return { 'error', is_exhausted and 'exhausted' or error_code(id.err, 'XADD', stream) }
    end
    is_begun = true
    outcomes[item] = id
    if key_of[item] then redis.call('SET', key_of[item], id .. ' ' .. ARGV[at + width], 'PX', ttl) end
  end
end
if rewrites then
  for key, held in pairs(replayed) do
    redis.call('SET', key, held, 'KEEPTTL')
  end
end
if new > 0 then
  if #stale > 0 then redis.call('HDEL', counts, unpack(stale)) end
  redis.call('HINCRBY', counts, forget_at, new)
  -- The hash goes with the last key that it counts.
  redis.call('PEXPIRE', counts, 2 * ttl)
end
return { table.concat(outcomes, ' ') }
