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

local EXACT_MAX = 9007199254740991 -- 2^53 - 1: beyond it a sum may be rounded
local AVERAGED_MAX = 2251799813685248 -- 2^51: twice the sum plus the count stays exact

-- The integer as high * 1e9 + low, both limbs with its sign.
local function limbs(text)
  local sign, digits = 1, text
  if string.sub(text, 1, 1) == '-' then
    sign, digits = -1, string.sub(text, 2)
  end
  return sign * (tonumber(string.sub(digits, 1, -10)) or 0), sign * tonumber(string.sub(digits, -9))
end

-- Adds two integers given as decimal text. Returns nil when the sum leaves the signed 64-bit range.
local function add_texts(a, b)
  local a_high, a_low = limbs(a)
  local b_high, b_low = limbs(b)
  local low = a_low + b_low
  local carry = math.floor(low / 1e9)
  local high = a_high + b_high + carry
  low = low - carry * 1e9
  if high > 9223372036 or (high == 9223372036 and low > 854775807) then return nil end
  if high < -9223372037 or (high == -9223372037 and low < 145224192) then return nil end
  local sign = ''
  if high < 0 then
    sign, high = '-', -high
    if low > 0 then
      high, low = high - 1, 1e9 - low
    end
  end
  if high == 0 then return (low == 0 and '' or sign) .. string.format('%.0f', low) end
  return sign .. string.format('%.0f', high) .. string.format('%09.0f', low)
end

-- The syntax that HINCRBY accepts: no leading zero, plus sign, space or "-0"; within 64 bits.
local function is_integer(text)
  if text == '0' then return true end
  if #text > 20 or not string.find(text, '^%-?[1-9]%d*$') then return false end
  return #text < 19 or add_texts(text, '0') ~= nil
end

-- Adds an amount (number or text) to a field (text, or false when missing). Returns the sum, as a number when it is
-- exact and else as text; or nil and the code of the refusal. Redis prints integral numbers without an exponent.
local function add(held, amount, is_averaged)
  local sum
  if not held then
    sum = amount
  else
    if not is_integer(held) then return nil, 'not-an-integer' end
    -- Every number in the sum is below 2^53 or the sum is not, so a sum that looks exact is.
    local number = tonumber(held)
    if type(amount) == 'number' and number <= EXACT_MAX and number >= -EXACT_MAX then
      sum = number + amount
    end
  end
  if type(sum) ~= 'number' or sum > EXACT_MAX or sum < -EXACT_MAX then
    sum = add_texts(held or '0', type(amount) == 'number' and string.format('%.0f', amount) or amount)
    if not sum then return nil, 'overflow' end
  end
  if is_averaged then
    sum = tonumber(sum)
    if sum > AVERAGED_MAX or sum < -AVERAGED_MAX then return nil, 'overflow' end
  end
  return sum
end

-- Rounded half up; 0 when the count is 0.
local function rounded_quotient(sum, count)
  if count == 0 then return 0 end
  if count < 0 then
    sum, count = -sum, -count
  end
  return math.floor((2 * sum + count) / (2 * count))
end

-- Whether an entry replaces what the hash holds: by its id, and by the time that a loaded hash claims for itself.
-- Returns nil and the code of the refusal when the hash holds no id or no time there.
local function wins(choice, id, held)
  local sign = choice.sign
  local held_id = held[choice.id_at]
  local held_time = choice.time_at > 0 and held[choice.time_at]
  local time, by_time
  if held_time then
    if not is_integer(held_time) then return nil, 'not-an-integer' end
    time = string.match(id, '^%d+')
    by_time = string.byte(held_time) == 45 and sign or sign * compare_digits(time, held_time) -- 45: minus
  end
  if held_id then
    local held_id_time, held_sequence = string.match(held_id, '^(%d+)%-(%d+)$')
    if not held_id_time or #held_id > 41 then return nil, 'not-an-id' end
    local by_id = compare_digits(time or string.match(id, '^%d+'), held_id_time)
    if by_id == 0 then by_id = compare_digits(string.match(id, '%d+$'), held_sequence) end
    return sign * by_id > 0 and (not by_time or by_time >= 0)
  end
  if by_time then return by_time > 0 end
  for at = choice.loaded_from, choice.loaded_to do
    if held[at] then return false end
  end
  return true
end

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
