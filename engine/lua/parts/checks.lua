-- What scripts check before their first write. Not a script of its own: it stands in front of all of them.
-- Guards:
--   clock: counts no lease that was given before the clock was set back
--   record: takes no record that is none of ours for a holder, and none for one that lasts
--   ids: compares ids by their numbers, which are too large for Lua
--   content: puts no content of a key into what it answers

-- The code for a key that holds another type than it should.
local function wrong_type(key)
  local kind = redis.pcall('TYPE', key).ok
  return kind and 'wrong-type ' .. kind .. ' ' .. key or 'wrong-type'
end

-- The code for an error that redis.pcall returned, with what it is about: `wrong-type <type> <key>` (without a key only
-- `wrong-type`), `no-group`, `no-permission <command>`, or for an error that we do not know `unexpected <its first words>`.
-- The rest of its text stays here: it may hold field content.
local function error_code(text, command, key)
  if string.find(text, 'WRONGTYPE', 1, true) then return key and wrong_type(key) or 'wrong-type' end
  if string.find(text, 'NOGROUP', 1, true) or string.find(text, 'no such key', 1, true) then return 'no-group' end
  local lower = string.lower(text)
  -- Redis 7.0 names no command here.
  if string.find(lower, "user executing the script can't", 1, true) or string.find(lower, 'no permissions to', 1, true) then
    return 'no-permission ' .. (command or '?')
  end
  return 'unexpected ' .. string.sub(string.match(text, '^[%a ]*'), 1, 60)
end

-- True for a code that is no fault of an entry or of its hash: it ends the call.
local function is_fatal(code)
  return string.find(code, '^no%-permission') ~= nil or string.find(code, '^unexpected') ~= nil
end

-- A command that is refused after the first write would leave half a batch. Returns the code when one is forbidden.
local function check_permissions(...)
  for _, command in ipairs({ ... }) do
    if not redis.acl_check_cmd(unpack(command)) then
      local name = command[1]
      if name == 'XGROUP' or name == 'XINFO' then name = name .. ' ' .. command[2] end
      return 'no-permission ' .. name
    end
  end
  return nil
end

-- The last id that an entry can have.
local LAST_ID = '18446744073709551615-18446744073709551615'

-- Compares numbers in decimal text without leading zeros, however long: negative, 0 or positive.
local function compare_digits(a, b)
  if #a ~= #b then return #a - #b end
  return a == b and 0 or (a < b and -1 or 1)
end

-- Compares ids without leading zeros: their numbers are too large for Lua.
local function is_before(a, b)
  local a_time, a_sequence = string.match(a, '^(%d+)%-(%d+)$')
  local b_time, b_sequence = string.match(b, '^(%d+)%-(%d+)$')
  local by_time = compare_digits(a_time, b_time)
  return by_time < 0 or (by_time == 0 and compare_digits(a_sequence, b_sequence) < 0)
end

-- An entry id, or the default for what is none: values that others wrote are read as if they were not there.
local function id_or(text, default)
  return text and string.find(text, '^%d+%-%d+$') and text or default
end

-- The value of a name in a list of names and values in turn.
local function flat_value(list, name)
  for at = 1, #list, 2 do
    if list[at] == name then return list[at + 1] end
  end
  return nil
end

-- What XINFO GROUPS says about a group, as names and values in turn; or nil and an error code.
local function group_info(stream, name)
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  if groups.err then return nil, error_code(groups.err, 'XINFO GROUPS', stream) end
  for _, group in ipairs(groups) do
    if flat_value(group, 'name') == name then return group end
  end
  return nil, 'no-group'
end

-- The server's clock in microseconds; 0 without the right to TIME. In a script it stands still since Redis 7.2.
local function clock_us()
  local time = redis.pcall('TIME')
  return time.err and 0 or time[1] * 1000000 + time[2]
end

-- The server's clock in milliseconds.
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What the record of a lease's holder says: token, and how long the lease lasts (ms). Nothing when it is no record of ours.
local function holder_of(json)
  local is_json, holder = pcall(cjson.decode, json or '')
  if not is_json or type(holder) ~= 'table' then return nil, 0 end
  return holder.token, tonumber(holder.leaseMs) or 0
end

-- Milliseconds that a lease still runs; 0 or less when it ended. One that would run for longer than it lasts was given
-- before the clock was set back, so it does not count.
local function lease_left(leases, holders, name, now)
  local ends = tonumber(redis.call('ZSCORE', leases, name) or nil)
  if not ends then return 0 end
  local left = ends - now
  if left <= 0 then return left end
  local _, lasts = holder_of(redis.call('HGET', holders, name))
  return left <= lasts and left or 0
end
