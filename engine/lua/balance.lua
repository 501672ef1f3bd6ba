#!lua flags=no-writes,allow-oom
-- Reads what must balance about a group, in one moment. Writes nothing.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] ledger  KEYS[4] ledger of the stream  KEYS[5] retries
-- ARGV[1] group  ARGV[2] undelivered entries to count at most; large ones are counted up to a number of bytes
-- Returns { 'read', entries ever appended, length, last id, last delivered id, pending, undelivered or '' when they are more,
-- lag or '', dead letters, retries scheduled, trimmed, and of the ledger applied, deadLettered, redriven, purged, skipped,
-- since (each '' when missing), now (ms), id of the oldest undelivered entry or '', of the oldest pending one or '' }, or
-- { 'error', code }.
-- @include parts/checks
-- @include parts/read-in-steps

local stream, group = KEYS[1], ARGV[1]
local info, problem = group_info(stream, group)
if not info then return { 'error', problem } end
local ledger = redis.pcall('HMGET', KEYS[3], 'applied', 'deadLettered', 'redriven', 'purged', 'skipped', 'since')
local trimmed = redis.pcall('HGET', KEYS[4], 'trimmed')
local letters, retries = redis.pcall('XLEN', KEYS[2]), redis.pcall('ZCARD', KEYS[5])
local pending = redis.pcall('XPENDING', stream, group)
local asked = { { ledger, 'HMGET', 3 }, { trimmed, 'HGET', 4 }, { letters, 'XLEN', 2 }, { retries, 'ZCARD', 5 } }
asked[5] = { pending, 'XPENDING', 1 }
for _, answer in ipairs(asked) do
  local reply = answer[1]
  if type(reply) == 'table' and reply.err then
    return { 'error', error_code(reply.err, answer[2], KEYS[answer[3]]) }
  end
end
local about = redis.call('XINFO', 'STREAM', stream)
local delivered = flat_value(info, 'last-delivered-id')
local most = tonumber(ARGV[2])
local oldest
local waiting, last, is_whole = read_in_steps('XRANGE', stream, '(' .. delivered, '+', most + 1, function(entry)
  oldest = oldest or entry[1]
end)
if not waiting then return { 'error', last } end
local reply = {
  'read',
  flat_value(about, 'entries-added'),
  flat_value(about, 'length'),
  flat_value(about, 'last-generated-id'),
  delivered,
  flat_value(info, 'pending'),
  is_whole and waiting or '',
  flat_value(info, 'lag') or '',
  letters,
  retries,
  trimmed or '',
}
for at = 1, 6 do
  reply[#reply + 1] = ledger[at] or ''
end
reply[#reply + 1] = now_ms()
reply[#reply + 1] = oldest or ''
reply[#reply + 1] = pending[2] or ''
return reply
