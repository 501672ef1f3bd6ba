#!lua flags=allow-oom
-- Creates a group, and the stream if it does not exist, and begins the group's ledger. A group that has a ledger was
-- there before: creating it again would forget what is pending and may process again what is settled.
-- KEYS[1] stream  KEYS[2] ledger  KEYS[3] dead-letter stream
-- ARGV[1] group  ARGV[2] id after which delivery begins, or '$'
-- Returns { 'created' }, { 'exists' } when nothing was changed, { 'lost', applied, top } when a ledger is there but no
-- group (nothing was changed), or { 'error', code }: wrong-type, wrong-id, no-permission.
-- Guards:
--   exists: changes nothing of a group that is there
--   lost: does not make a group anew that has settled entries
--   ledger: makes no group whose ledger has no place
-- @include parts/checks

local stream, key, group, from = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local kind = redis.call('TYPE', stream).ok
if kind ~= 'none' and kind ~= 'stream' then return { 'error', wrong_type(KEYS[1]) } end
if kind == 'stream' then
  local found, code = group_info(stream, group)
  if found then return { 'exists' } end
  if code ~= 'no-group' then return { 'error', code } end
end
local held = redis.pcall('HMGET', key, 'applied', 'top', 'since', 'redriven')
if held.err then return { 'error', error_code(held.err, 'HMGET', key) } end
-- One that only counts purged letters has not begun.
if held[3] or held[4] then return { 'lost', held[1] or '0', held[2] or '0-0' } end
local problem = check_permissions(
  { 'XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM' },
  { 'XINFO', 'STREAM', stream },
  { 'XINFO', 'GROUPS', stream },
  { 'HSET', key, 'since', '0' }
)
if problem then return { 'error', problem } end

local created = redis.pcall('XGROUP', 'CREATE', stream, group, from, 'MKSTREAM')
if created.err then return { 'error', 'wrong-id' } end
-- What the group will never be delivered: unknown when it begins somewhere in the middle.
local info = redis.call('XINFO', 'STREAM', stream)
local added, skipped = flat_value(info, 'entries-added'), ''
if from == '$' then
  skipped = added
elseif from == '0' or from == '0-0' then
  skipped = added - flat_value(info, 'length')
end
local delivered = flat_value(group_info(stream, group), 'last-delivered-id')
local letters = redis.pcall('XINFO', 'STREAM', KEYS[3])
local letters_from = letters.err and '0-0' or flat_value(letters, 'last-generated-id')
local places = { 'delivered', delivered, 'lettersFrom', letters_from }
redis.call('HSET', key, 'since', now_ms(), 'skipped', skipped, unpack(places))
return { 'created' }
