-- Reading many entries in steps that are bounded in bytes, too. Not a script of its own: it stands in front of those that
-- read. A megabyte takes 4 ms on its way into Lua, and a reply of many takes longer still: the server joins its pieces by
-- copying them again and again. So what is read at once follows the size of what was read before.
-- @include parts/checks

local BYTES_MAX = 500000 -- of all that a call reads, but for the last step: one entry that is larger, or where such begin up to four
local SHORT_STEP_MAX = 4 -- where small entries end, large ones may begin: so many are read at most
local bytes_left = BYTES_MAX

-- What an entry costs on its way into Lua, as bytes: a name or a value costs some by itself.
local function size_of(entry)
  local flat = entry[2]
  local size = 16 * #flat
  for at = 1, #flat do
    size = size + #flat[at]
  end
  return size
end

-- The entries of a range, or an error. No command takes a '(' before the last id of its way: nothing is behind it.
local function read_range(command, stream, from, to, count)
  if from == (command == 'XRANGE' and '(' .. LAST_ID or '(0-0') then return {} end
  return redis.pcall(command, stream, from, to, 'COUNT', count)
end

-- Shows each entry of a range to `see`, if there is one, in the order of the command (XRANGE or XREVRANGE), until that returns true, `most`
-- were shown, or this call has read enough: BYTES_MAX counts for all the ranges of a call together.
-- Returns how many were shown, the id of the last one, nil for none, and whether the range ends with it; or nil and an error code.
local function read_in_steps(command, stream, from, to, most, see)
  local shown, last, step = 0, nil, bytes_left > 0 and 1 or 0
  while step >= 1 and shown < most do
    local count = math.min(step, most - shown)
    local some = read_range(command, stream, from, to, count)
    if some.err then return nil, error_code(some.err, command, stream) end
    local largest = 1
    for at = 1, #some do
      local size = size_of(some[at])
      largest, bytes_left = math.max(largest, size), bytes_left - size
    end
    for at = 1, #some do
      shown, last = shown + 1, some[at][1]
      if see and see(some[at]) then return shown, last, false end
    end
    if #some < count then return shown, last, true end
    from = '(' .. last
    step = math.min(SHORT_STEP_MAX, 4 * step, math.floor(bytes_left / largest))
  end
  return shown, last, false
end
