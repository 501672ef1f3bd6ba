-- The rankings of a batch: sorted sets that follow a field of the hashes. Each gets one ZADD with the final values of the
-- hashes that the batch changes, so what it holds is what they hold, whatever came before.
-- Not a script of its own: it stands in front of `projections`, which src/apply/compile-plan.ts compiles.
-- Guards:
--   rights: has the right to write each ranking before the first write
--   own-keys: takes no key of the script for a ranking
--   types: ranks nothing while one ranking has another type
--   all: ranks all hashes of a batch, in steps of what one command takes
-- @include parts/checks

-- Checks all rankings of the projections, before the first write. The first `gate_keys` of KEYS cannot be one. Their keys
-- are added to `reserved`, if that is given. Returns nothing or a code.
local function check_rankings(projections, gate_keys, reserved)
  for _, projection in ipairs(projections) do
    for _, key in ipairs(projection.rankings) do
      for at = 1, gate_keys do
        if KEYS[at] == key then return wrong_type(key) end
      end
      local size = redis.pcall('ZCARD', key)
      if type(size) == 'table' then return error_code(size.err, 'ZCARD', key) end
      local problem = check_permissions({ 'ZADD', key, 0, 'member' })
      if problem then return problem end
      if reserved then reserved[key] = true end
    end
  end
end

-- Writes the scores of some rows to a ranking. The score is row[score_at]; the member is a part of the key, as string.sub
-- takes it. Cannot fail: check_rankings has seen the ranking in this same call.
local function write_ranking(ranking, rows, score_at, key_at, member_from, member_to)
  local sub, values, size = string.sub, {}, 0
  for at = 1, #rows do
    local row = rows[at]
    values[size + 1], values[size + 2] = row[score_at], sub(row[key_at], member_from, member_to)
    size = size + 2
  end
  -- unpack takes less than 8,000 values.
  for from = 1, size, 5000 do
    redis.call('ZADD', ranking, unpack(values, from, math.min(from + 4999, size)))
  end
end
