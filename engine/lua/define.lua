#!lua flags=allow-oom
-- Notes by what definition entries are folded, once, and says by which they are.
-- KEYS[1] ledger  ARGV[1] digest of the definition
-- Returns { 'defined', digest that holds } or { 'error', code }: see `error_code`. Nothing written then.
-- Guards:
--   once: the first definition holds
-- @include parts/checks

local held = redis.pcall('HGET', KEYS[1], 'definition')
if type(held) == 'table' then return { 'error', error_code(held.err, 'HGET', KEYS[1]) } end
if held then return { 'defined', held } end
local problem = check_permissions({ 'HSET', KEYS[1], 'definition', '' })
if problem then return { 'error', problem } end
redis.call('HSET', KEYS[1], 'definition', ARGV[1])
return { 'defined', ARGV[1] }
