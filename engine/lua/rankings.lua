-- The rankings of a batch: sorted sets that follow a field of the hashes. Each gets one ZADD with the final values of the
-- hashes that the batch changes, so what it holds is what they hold, whatever came before.
-- Not a script of its own: it stands in front of `effects`.
--
-- `plan.ranked` says how the rows of a plan are ranked:
--   rankings    { { 'counters', 'extremes' or 'averages', at } ... }   position there; their keys are the last of KEYS
--   member_from, member_to   the part of the hash's key that is the member, as string.sub takes it

-- Checks the rankings that the rows touch, and gives each plan with rows its own as `standings`. Returns all of them, or
-- nothing and a code.
local function open_rankings(plans, rows, first_key)
  local position = first_key
  for _, some in ipairs(rows) do
    position = position + #some
  end
  local opened = {}
  for index, plan in ipairs(plans) do
    local standings = {}
    for _, source in ipairs(plan.ranked.rankings) do
      local key = KEYS[position]
      position = position + 1
      if rows[index][1] then
        for at = 1, first_key - 1 do
          if KEYS[at] == key then return {}, 'wrong-type' end
        end
        local size = redis.pcall('ZCARD', key)
        if type(size) == 'table' then return {}, error_code(size.err) end
        local problem = check_permissions({ 'ZADD', key, 0, 'member' })
        if problem then return {}, problem end
        local standing = { key = key, from = source[1], at = source[2], size = 0, values = {} }
        standings[#standings + 1] = standing
        opened[#opened + 1] = standing
      end
    end
    if standings[1] then plan.standings = standings end
  end
  return opened
end

-- Adds a hash to the rankings of its plan. `write` holds its final values: sum n at sums + 2n, the averages at the end.
local function rank_row(plan, key, write, sums, size)
  local ranked = plan.ranked
  local member = string.sub(key, ranked.member_from, ranked.member_to)
  local averages = #plan.averages
  local standings = plan.standings
  for index = 1, #standings do
    local standing = standings[index]
    local from, at, score = standing.from, standing.at, nil
    if from == 'counters' then
      score = write[sums + 2 * at]
    elseif from == 'averages' then
      score = write[size - 2 * (averages - at)]
    else
      score = plan.reached[at]
    end
    local values, count = standing.values, standing.size
    values[count + 1], values[count + 2] = score, member
    standing.size = count + 2
  end
end

-- Cannot fail: open_rankings has seen each of them in this same call.
local function write_rankings(rankings)
  for _, standing in ipairs(rankings) do
    -- unpack takes less than 8,000 values.
    for from = 1, standing.size, 5000 do
      redis.call('ZADD', standing.key, unpack(standing.values, from, math.min(from + 4999, standing.size)))
    end
  end
end
