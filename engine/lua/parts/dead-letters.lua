-- Appends entries to the dead-letter stream. Not a script of its own: it stands in front of those that also
-- acknowledge the entries. A dead letter holds
--   id, reason, error, consumer, time (ms)   about the entry; attempts, when a handler has failed at it
--   field:<name>                             its fields, byte for byte and in their order
--   packed                                   instead of them, where there are too many for one call: MessagePack
-- Guards:
--   type: nothing is written where the key holds another type
--   rights: nothing is written where dead letters may not be
-- @include parts/checks

local PACKED_ABOVE = 3000 -- names and values; unpack takes fewer than 8,000

-- Returns an error code when the key cannot take dead letters, before anything is written.
local function check_dead_letters(target)
  local kind = redis.call('TYPE', target).ok
  if kind ~= 'none' and kind ~= 'stream' then return wrong_type(target) end
  return check_permissions({ 'XADD', target, '*', 'field', 'value' })
end

-- letters: { { id, reason, error, failed attempts or nil } ... }. An entry whose body is gone from the stream leaves a letter without fields.
local function write_dead_letters(stream, target, consumer, letters)
  local now = redis.call('TIME')
  local time = now[1] .. string.format('%03d', math.floor(tonumber(now[2]) / 1000))
  for _, letter in ipairs(letters) do
    local entry = redis.call('XRANGE', stream, letter[1], letter[1])[1]
    local args = { 'XADD', target, '*', 'id', letter[1], 'reason', letter[2], 'error', letter[3] }
    for _, value in ipairs({ 'consumer', consumer, 'time', time }) do
      args[#args + 1] = value
    end
    if letter[4] then
      args[#args + 1] = 'attempts'
      args[#args + 1] = letter[4]
    end
    local fields = entry and entry[2] or {}
    if #fields > PACKED_ABOVE then
      args[#args + 1] = 'packed'
      args[#args + 1] = cmsgpack.pack(fields)
    else
      for at = 1, #fields, 2 do
        args[#args + 1] = 'field:' .. fields[at]
        args[#args + 1] = fields[at + 1]
      end
    end
    redis.call(unpack(args))
  end
end
