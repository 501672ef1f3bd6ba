#!lua flags=allow-oom
-- Takes entries that are in no count, and dead letters that others deleted or wrote, into the ledger, when that still says
-- what it said when they were counted.
-- KEYS[1] ledger
-- ARGV[1] skipped, ARGV[2] purged, as they were  ARGV[3], ARGV[4] as they shall be
-- Returns { 'accepted' }, { 'changed' } when the ledger says something else now, or { 'error', code }.
-- Guards:
--   changed: takes nothing into a ledger that says something else by now
-- @include parts/checks

local held = redis.pcall('HMGET', KEYS[1], 'skipped', 'purged', 'since')
if held.err then return { 'error', error_code(held.err, 'HMGET', KEYS[1]) } end
local problem = check_permissions({ 'HSET', KEYS[1], 'skipped', '0' })
if problem then return { 'error', problem } end
if not held[3] or held[1] ~= ARGV[1] or (held[2] or '0') ~= ARGV[2] then return { 'changed' } end
redis.call('HSET', KEYS[1], 'skipped', ARGV[3], 'purged', ARGV[4])
return { 'accepted' }
