#!lua flags=allow-oom
-- Sets how many entries a group has read, so that the server tells a lag that is true, where it lost count because others
-- trimmed or deleted entries. The group does not move: id and number are set by this one call. Says only what it would do
-- unless it is told to.
-- KEYS[1] stream
-- ARGV[1] group  ARGV[2] yes: do it  ARGV[3] entries to count at most
-- ARGV[4...] a count from outside, when there are more: undelivered entries, counted after the last delivered id of ARGV[5]
-- up to the last of so many ever appended (ARGV[6]), when the stream had this length (ARGV[7])
-- Returns { 'same' or 'differs' or 'repaired', undelivered, the server's lag before or '', after or '' },
-- { 'many', last delivered id, entries ever appended, length, last id } when they must be counted outside,
-- { 'moved' } when the count from outside does not hold any more, or { 'error', code }.
-- Guards:
--   asked: sets nothing unless it is told to
--   moved: sets nothing by a count that does not hold any more
-- @include parts/checks
-- @include parts/read-in-steps

local stream, name = KEYS[1], ARGV[1]
local about = redis.pcall('XINFO', 'STREAM', stream)
if about.err then return { 'error', error_code(about.err, 'XINFO STREAM', stream) } end
local group, problem = group_info(stream, name)
if not group then return { 'error', problem } end
local delivered, lag = flat_value(group, 'last-delivered-id'), flat_value(group, 'lag')
local added, length = flat_value(about, 'entries-added'), flat_value(about, 'length')

local undelivered
if ARGV[4] then
  local since = added - ARGV[6]
  if delivered ~= ARGV[5] or length - ARGV[7] ~= since then return { 'moved' } end
  undelivered = ARGV[4] + since
else
  local most = tonumber(ARGV[3])
  local last, is_whole
  undelivered, last, is_whole = read_in_steps('XRANGE', stream, '(' .. delivered, '+', most + 1)
  if not undelivered then return { 'error', last } end
  if not is_whole then
    return { 'many', delivered, added, length, flat_value(about, 'last-generated-id') }
  end
end
if lag == undelivered then return { 'same', undelivered, lag, lag } end
if ARGV[2] ~= 'yes' then return { 'differs', undelivered, lag or '', '' } end
problem = check_permissions({ 'XGROUP', 'SETID', stream, name, delivered, 'ENTRIESREAD', '0' })
if problem then return { 'error', problem } end
redis.call('XGROUP', 'SETID', stream, name, delivered, 'ENTRIESREAD', added - undelivered)
return { 'repaired', undelivered, lag or '', flat_value(group_info(stream, name), 'lag') or '' }
