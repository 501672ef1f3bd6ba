#!lua flags=no-writes,allow-oom
-- Says how many entries the groups of a stream have not been delivered. The lag that the server tells is not enough: what
-- others trimmed or deleted before its delivery stays in it, on some versions for ever. It is believed when nothing but
-- our trimmer, which never takes such an entry, has ever removed one. Otherwise entries are counted, after the last
-- delivered one and before it, bounded in number and in bytes. Writes nothing.
-- KEYS[1] stream  KEYS[2] ledger of the stream
-- ARGV[1] entries to count at most, for all groups together  ARGV[2] the only group to look at, empty: all
-- Returns { 'backlogs', length, now (ms), { name, pending, undelivered or '' when it was not found out, last delivered id,
-- the server's lag or '', id of the oldest undelivered entry or '' (also where all groups are looked at: it reads the
-- entry), of the oldest pending one or '' } ... } or { 'error', code }: no-stream, no-group, wrong-type, no-permission.
-- @include parts/checks
-- @include parts/read-in-steps

local stream, left, only = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local about = redis.pcall('XINFO', 'STREAM', stream)
if about.err then
  local is_missing = string.find(about.err, 'no such key', 1, true)
  return { 'error', is_missing and 'no-stream' or error_code(about.err, 'XINFO STREAM', stream) }
end
local length, last = flat_value(about, 'length'), flat_value(about, 'last-generated-id')
local first = length > 0 and flat_value(about, 'first-entry')[1]

-- Without the right to it: as if nobody knew.
local trimmed = redis.pcall('HGET', KEYS[2], 'trimmed')
trimmed = type(trimmed) ~= 'table' and tonumber(trimmed or 0)
local is_untouched = flat_value(about, 'entries-added') - length == trimmed

-- Nothing when there are more than may be counted.
local problem
local function count(from, to)
  local counted, code, is_whole = read_in_steps('XRANGE', stream, from, to, left)
  if not counted then
    problem = code
    return nil
  end
  left = left - counted
  return is_whole and counted or nil
end

local function undelivered_of(delivered, lag)
  if not first or not is_before(delivered, last) then return 0 end
  if is_before(delivered, first) then return length end
  if is_untouched and lag and lag <= length then return lag end
  local after = count('(' .. delivered, '+')
  if after then return after end
  local before = count('-', delivered)
  return before and length - before or ''
end

local reply = { 'backlogs', length, now_ms() }
for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local name = flat_value(group, 'name')
  if only == '' or name == only then
    local delivered, lag = flat_value(group, 'last-delivered-id'), flat_value(group, 'lag')
    local undelivered = undelivered_of(delivered, lag)
    if problem then return { 'error', problem } end
    local next_one = only ~= '' and undelivered ~= 0 and redis.call('XRANGE', stream, '(' .. delivered, '+', 'COUNT', 1)[1]
    local oldest = flat_value(group, 'pending') > 0 and redis.pcall('XPENDING', stream, name)[2]
    reply[#reply + 1] = {
      name,
      flat_value(group, 'pending'),
      undelivered,
      delivered,
      lag or '',
      next_one and next_one[1] or '',
      oldest or '',
    }
  end
end
if only ~= '' and not reply[4] then return { 'error', 'no-group' } end
return reply
