#!lua flags=no-writes,allow-oom
-- Says where an entry stands in a group, as of one moment. Writes nothing.
-- KEYS[1] stream  ARGV[1] group  ARGV[2] entry id
-- Returns one of
--   { 'waiting', fields }    not delivered yet, or there is no such group
--   { 'pending', fields, consumer, idle (ms), deliveries }  fields are empty when the body is gone from the stream
--   { 'settled', fields }    acknowledged
--   { 'absent', first id of the stream (empty: none), last id that it gave, entries ever added, length }
--   { 'error', code }        wrong-type, no-permission; a missing stream is { 'absent', '', '0-0', 0, 0 }
-- @include parts/checks

local stream, group, id = KEYS[1], ARGV[1], ARGV[2]

local found = redis.pcall('XRANGE', stream, id, id)
if found.err then return { 'error', error_code(found.err, 'XRANGE', stream) } end
if redis.call('EXISTS', stream) == 0 then return { 'absent', '', '0-0', 0, 0 } end
local fields = found[1] and found[1][2] or {}

local info, problem = group_info(stream, group)
if problem and problem ~= 'no-group' then return { 'error', problem } end
if info then
  local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
  if pending.err then return { 'error', error_code(pending.err, 'XPENDING', stream) } end
  local row = pending[1]
  if row then return { 'pending', fields, row[2], row[3], row[4] } end
end
if #found == 0 then
  local about = redis.pcall('XINFO', 'STREAM', stream)
  if about.err then return { 'error', error_code(about.err, 'XINFO STREAM', stream) } end
  local head = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  return {
    'absent',
    head and head[1] or '',
    flat_value(about, 'last-generated-id'),
    flat_value(about, 'entries-added') or 0,
    flat_value(about, 'length'),
  }
end
local is_delivered = info and not is_before(flat_value(info, 'last-delivered-id'), found[1][1])
return { is_delivered and 'settled' or 'waiting', fields }
