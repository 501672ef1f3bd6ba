-- The effects of a batch: everything is checked before anything is written, because scripts do not roll back.
-- Not a script of its own: it stands in front of those that gate it. See src/effects.ts for the data.
--
-- A plan says how the rows of one projection are folded onto its hashes:
--   fetch     fields to read, in this order: counters, extremes, then what the choices need
--   counters  { { field, is averaged } ... }            row: the amount to add
--   extremes  { { field, 'min' or 'max' } ... }         row: the value
--   choices   { { kind, id field, fields, id at, time at, loaded from, loaded to } ... }   positions in fetch, 0: none
--                                                       row: the entry id, then the values
--   averages  { { field, sum at, count at } ... }       positions in counters
-- A row is refused with a code: wrong-type, not-an-integer, not-an-id, overflow, reserved-key.
-- Integers are exact: below 2^53 as numbers, beyond it as decimal text.

-- Checks one row against its hash and appends the arguments of HSET to the writes, which hold `size` values. Returns
-- the new size, or nil and the code of the refusal. (One flat list, since a table for each hash costs half its HSET.)
local function check_row(plan, key, row, write, size)
  local request = plan.request
  request[2] = key
  local held = redis.pcall(unpack(request))
  if held.err then return nil, error_code(held.err) end
  write[size + 1], write[size + 2] = 'HSET', key
  size = size + 2
  local sums = size
  local at = 0
  local counters = plan.counters
  for index = 1, #counters do
    local counter = counters[index]
    at = at + 1
    local sum, code = add(held[at], row[at], counter[2])
    if not sum then return nil, code end
    write[size + 1], write[size + 2] = counter[1], sum
    size = size + 2
  end
  local extremes = plan.extremes
  for index = 1, #extremes do
    local extreme = extremes[index]
    at = at + 1
    local have = held[at] and is_integer(held[at]) and tonumber(held[at])
    if held[at] and not have then return nil, 'not-an-integer' end
    if not have or (extreme[2] == 'min' and row[at] < have) or (extreme[2] == 'max' and row[at] > have) then
      write[size + 1], write[size + 2] = extreme[1], row[at]
      size = size + 2
    end
  end
  local choices = plan.choices
  for index = 1, #choices do
    local choice = choices[index]
    local fields = choice.fields
    local is_winner, code = wins(choice, row[at + 1], held)
    if is_winner == nil then return nil, code end
    if is_winner then
      write[size + 1], write[size + 2] = choice.id_field, row[at + 1]
      size = size + 2
      for field = 1, #fields do
        write[size + 1], write[size + 2] = fields[field], row[at + 1 + field]
        size = size + 2
      end
    end
    at = at + 1 + #fields
  end
  local averages = plan.averages
  for index = 1, #averages do
    local average = averages[index]
    -- The sum of counter n was the (2n)th value.
    write[size + 1] = average[1]
    write[size + 2] = rounded_quotient(write[sums + 2 * average[2]], write[sums + 2 * average[3]])
    size = size + 2
  end
  return size
end

-- Checks all rows. The hash of the first row is KEYS[first_key]. Returns the writes (their values, and the position of
-- the last value of each), and the refusals as a flat list: position of the row (from 0) and code, in turn. A third
-- value is the code of a problem that no row is to blame for.
local function check_effects(plans, rows, first_key)
  local writes, refusals = { values = {}, ends = {} }, {}
  local size, position = 0, 0
  local reserved = {}
  for at = 1, first_key - 1 do
    reserved[KEYS[at]] = true
  end
  for index, plan in ipairs(plans) do
    plan.request = { 'HMGET', '', unpack(plan.fetch) }
    for _, choice in ipairs(plan.choices) do
      choice.sign = choice.kind == 'latest' and 1 or -1
    end
    if rows[index][1] then
      local problem = check_permissions({ 'HSET', KEYS[first_key + position], 'field', 'value' })
      if problem then return writes, refusals, problem end
    end
    for _, row in ipairs(rows[index]) do
      local key = KEYS[first_key + position]
      local new_size, code
      if reserved[key] then
        code = 'reserved-key'
      else
        new_size, code = check_row(plan, key, row, writes.values, size)
      end
      if code == 'no-permission' then return writes, refusals, code end
      if not new_size then
        refusals[#refusals + 1] = position
        refusals[#refusals + 1] = code
      elseif new_size > size + 2 then
        size = new_size
        writes.ends[#writes.ends + 1] = size
      end
      position = position + 1
    end
  end
  return writes, refusals
end

-- Cannot fail: check_effects has seen each hash in this same call, and the script may write on a full server.
local function write_effects(writes)
  local from = 1
  for _, to in ipairs(writes.ends) do
    redis.call(unpack(writes.values, from, to))
    from = to + 1
  end
end
