-- Exact integers, and which entry a choice takes. Not a script of its own: it stands in front of those that apply effects.
-- Integers are exact: below 2^53 as numbers, beyond it as decimal text.
-- Guards:
--   exact: adds exactly, and returns a number only where it is exact
--   64-bits: refuses a sum that leaves 64 bits
--   averaged: refuses the sum of an average that is no longer exact when it is doubled
--   syntax: takes for an integer what HINCRBY does, and nothing else
--   beyond: lets no sum of a batch come back that has left 64 bits
--   once: sets a hash by no entry a second time, nor by one that comes before its own
--   odd-values: refuses a hash that holds no id or no time where one should be
--   loaded: heeds the time of a loaded hash, and what was loaded without one
-- @include parts/checks

local EXACT_MAX = 9007199254740991 -- 2^53 - 1: beyond it a sum may be rounded
local BEYOND = string.rep('9', 30) -- a sum that has left 64 bits
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

-- Adds a number to a sum, which is a number while it is exact and else text. A sum that leaves 64 bits stays there as
-- infinity in text, which no hash can take.
local function add_exactly(sum, number)
  local total = type(sum) == 'number' and sum + number
  if total and total <= EXACT_MAX and total >= -EXACT_MAX then return total end
  local texts = type(sum) == 'number' and string.format('%.0f', sum) or sum
  return sum ~= BEYOND and add_texts(texts, string.format('%.0f', number)) or BEYOND
end
