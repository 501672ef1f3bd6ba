-- What the ledger says about a group that was lost or moved. Not a script of its own: it stands in front of those that
-- examine and recover, behind `ledger.lua`. What is certain:
--   entries after the top were never settled: they are to be delivered
--   entries before the first pending one, as of the last settlement, are settled; without one all up to the top
--   between the two, those up to `pendingUpTo` that the last sweep did not see pending are settled
-- What remains between is unknown: settled, or pending when the group was lost.
-- Guards:
--   letters: an entry that has a dead letter is settled
--   pending: an entry that is still pending gets no dead letter besides
--   anew: of a stream that was made anew nothing counts as settled
--   resumed: goes on where a recovery was broken off
-- @include parts/checks
-- @include parts/ledger
-- @include parts/read-in-steps

local PAGE_MAX = 10000 -- about 25 ms, once, and only where so many entries were delivered since the last settlement

-- Names of consumers whose lease runs, but for holders that are known to be dead (by their tokens).
local function living(leases, holders, dead_tokens)
  local names, now, is_dead = {}, now_ms(), {}
  for _, token in ipairs(dead_tokens) do
    is_dead[token] = true
  end
  for _, name in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    if string.sub(name, 1, 1) ~= '@' and lease_left(leases, holders, name, now) > 0 then
      local token = holder_of(redis.call('HGET', holders, name))
      if not is_dead[token or ''] then names[#names + 1] = name end
    end
  end
  return names
end

-- Entries that were delivered since the last settlement must be pending. One that is not was skipped, or dropped. Looks
-- between the pending ones, so that no entry is read where none is missing. Returns true or false, or an error code besides.
local function is_one_missing(state)
  local after, to = state.delivered_before, state.delivered
  if not is_before(after, to) then return false end
  local ends = {}
  for at, row in ipairs(redis.call('XPENDING', state.stream, state.group, '(' .. after, to, PAGE_MAX)) do
    ends[at] = '(' .. row[1]
  end
  if #ends < PAGE_MAX then ends[#ends + 1] = to end
  local from = '(' .. after
  for _, up_to in ipairs(ends) do
    local between = read_range('XRANGE', state.stream, from, up_to, 1)
    if between.err then return false, error_code(between.err, 'XRANGE', state.stream) end
    if between[1] then return true end
    from = up_to
  end
  return false
end

-- How a recovery goes on that has begun; also the value of `recovering`.
--   drop     what is pending now says nothing; what is unknown becomes a dead letter
--   anew     the same, and any entry of the new stream may be a restored one
--   fill     what is pending stays; what is unknown and not pending becomes a dead letter
--   forward  what is pending stays; the rest of it is settled
local MODES = { ['no-group'] = 'drop', ['moved-back'] = 'drop', ['no-stream'] = 'anew', ['stream-made-anew'] = 'anew' }

-- Compares the group with its ledger. `kind` is one of
--   no-ledger         nothing is known
--   healthy           the group is where its ledger left it, or has gone on in order
--   no-stream, no-group
--   stream-made-anew  the stream has not got as far as the group had
--   moved-back        the group is to process again what is settled
--   entries-missing   the group was moved forward, or pending entries were dropped
--   unfinished        a recovery has begun
local function state_of(stream, group, key)
  local kind = redis.call('TYPE', stream).ok
  if kind ~= 'none' and kind ~= 'stream' then return nil, wrong_type(stream) end
  local fields = { 'applied', 'deadLettered', 'redriven', 'since', 'skipped', 'top', 'delivered', 'firstPending' }
  for _, field in ipairs({ 'pendingUpTo', 'pendingIds', 'recovering', 'recoveredUpTo', 'moved' }) do
    fields[#fields + 1] = field
  end
  local held = redis.pcall('HMGET', key, unpack(fields))
  if held.err then return nil, error_code(held.err, 'HMGET', key) end
  local state = {
    stream = stream,
    group = group,
    key = key,
    has_stream = kind == 'stream',
    has_group = false,
    applied = tonumber(held[1] or 0) or 0,
    dead = tonumber(held[2] or 0) or 0,
    redriven = tonumber(held[3] or 0) or 0,
    since = tonumber(held[4] or 0) or 0,
    skipped = held[5] or '',
    delivered_before = id_or(held[7], '0-0'),
    first_pending = id_or(held[8], ''),
    top = id_or(held[6], ''),
    pending_up_to = id_or(held[9], ''),
    seen_text = held[10] or '',
    recovering = held[11],
    recovered_up_to = id_or(held[12], '0-0'),
    delivered = '0-0',
  }
  -- Before the first settlement the group stands where it began.
  state.position = state.top ~= '' and state.top or state.delivered_before
  local last = '0-0'
  if state.has_stream then
    last = flat_value(redis.call('XINFO', 'STREAM', stream), 'last-generated-id')
    local info = group_info(stream, group)
    if info then
      state.has_group = true
      state.delivered = flat_value(info, 'last-delivered-id')
    end
  end
  local is_made_anew = is_before(last, state.position)

  if not held[4] then
    state.kind = 'no-ledger'
  elseif state.recovering then
    state.kind = 'unfinished'
    state.mode = state.recovering
  elseif not state.has_stream then
    state.kind = 'no-stream'
  elseif is_made_anew then
    state.kind = 'stream-made-anew'
  elseif not state.has_group then
    state.kind = 'no-group'
  else
    state.kind = 'healthy'
    local rows = redis.call('XPENDING', stream, group, '-', '+', 1001)
    local ids = {}
    for at, row in ipairs(rows) do
      ids[at] = row[1]
    end
    local known = {
      key = key,
      top = state.position,
      first_pending = state.first_pending,
      pending_up_to = state.pending_up_to,
    }
    local is_behind = held[13] or is_before(state.delivered, state.delivered_before)
    if is_behind or (ids[1] and was_any_settled(known, ids)) then
      state.kind = 'moved-back'
    else
      local is_oldest_gone = state.first_pending ~= '' and ids[1] ~= state.first_pending
      local is_missing, code = is_one_missing(state)
      if code then return nil, code end
      if is_oldest_gone or is_missing then
        state.kind = 'entries-missing'
        state.mode = is_oldest_gone and 'fill' or 'forward'
      end
    end
  end
  state.mode = state.mode or MODES[state.kind]
  return state
end

-- Walks a step over the entries of which it is unknown whether they are settled, up to `to`, or empty for all. `letters`:
-- ids in this step that have a dead letter, and so are settled. Returns the unknown ids and the id to go on after, or ''
-- at the end; or nil and an error code.
local function unknown_step(state, after, to, count, letters)
  local from = state.mode == 'anew' and '-' or state.first_pending
  if not state.has_stream or state.mode == 'forward' or from == '' then return {}, '' end
  if is_before(after, state.recovered_up_to) then after = state.recovered_up_to end
  if from == '-' or not is_before(after, from) then from = '(' .. after end
  local is_whole = to == '' or not is_before(to, state.position)
  local up_to = is_whole and state.position or to
  local seen = snapshot_of(state.seen_text)
  local unknown = {}
  local looked, last, is_end = read_in_steps('XRANGE', state.stream, from, up_to, count, function(entry)
    local id = entry[1]
    local is_settled = letters[id]
    if state.mode ~= 'anew' and state.pending_up_to ~= '' and not is_before(state.pending_up_to, id) then
      is_settled = is_settled or not seen[id]
    end
    local is_pending = state.mode == 'fill' and #redis.call('XPENDING', state.stream, state.group, id, id, 1) == 1
    if not (is_settled or is_pending) then unknown[#unknown + 1] = id end
  end)
  if not looked then return nil, last end
  if not is_end then return unknown, last end
  return unknown, is_whole and '' or to
end
