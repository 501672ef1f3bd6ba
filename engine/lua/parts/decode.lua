-- What the fields of an entry may hold: the rules of src/declare/fields.ts for scripts that read entries themselves. Not a
-- script of its own.
-- Guards:
--   syntax: takes for an integer what src/declare/fields.ts does, and nothing else
--   keys: lets no text leave its part of a key
--   told: tells no text in an error but a short number, and names of fields only while they are short
--   utf-8: takes for text what src/declare/fields.ts does, byte for byte

-- The number, or false when the text is no decimal integer without leading zeros, plus sign or spaces, or out of range.
-- Bounds are within 2^53, and a text beyond it is never read as a number within.
local function integer_within(text, min, max)
  if text ~= '0' and (#text > 17 or not string.find(text, '^%-?[1-9]%d*$')) then return false end
  local number = tonumber(text)
  return number >= min and number <= max and number
end

-- Whether a text is digits, and no longer than a number of 64 bits: then an error may tell it.
local function is_digits(text)
  return #text <= 20 and string.find(text, '^%-?%d+$') ~= nil
end

-- That fields are missing, of which the names stand in quotes: all, or one where that would be long.
local function missing_text(names, bytes_max)
  local many = 'fields ' .. table.concat(names, ', ') .. ' are missing'
  return #names > 1 and #many <= bytes_max and many or 'field ' .. names[1] .. ' is missing'
end

-- Whether a byte continues a character of UTF-8 that began with `lead`, as its second byte.
local function is_second(lead, byte)
  local low = lead == 224 and 160 or lead == 240 and 144 or 128
  local high = lead == 237 and 159 or lead == 244 and 143 or 191
  return byte ~= nil and byte >= low and byte <= high
end

-- UTF-8 without U+FFFD, which stands for bytes that are none.
local function is_utf8(text)
  local at = string.find(text, '[\128-\255]')
  if not at then return true end
  if string.find(text, '\239\191\189', 1, true) then return false end
  while at do
    local lead, second, third, fourth = string.byte(text, at, at + 3)
    local length = lead >= 194 and lead <= 223 and 2 or lead >= 224 and lead <= 239 and 3 or lead >= 240 and lead <= 244 and 4
    if not length or not is_second(lead, second) then return false end
    if length >= 3 and not is_second(0, third) then return false end
    if length == 4 and not is_second(0, fourth) then return false end
    at = string.find(text, '[\128-\255]', at + length)
  end
  return true
end

-- As encodeURIComponent of JavaScript.
local function percent_encoded(text)
  return (
    string.gsub(text, "[^A-Za-z0-9_.!~*'()-]", function(character)
      return string.format('%%%02X', string.byte(character))
    end)
  )
end
