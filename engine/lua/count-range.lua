-- Counts entries without sending them: one bounded step of a walk.
-- KEYS[1] stream  ARGV[1] first id, '(' before it leaves it out  ARGV[2] last id, likewise  ARGV[3] entries to count at most
-- Returns { count, last id (empty when the count is 0) }; a missing stream counts 0. Or { 'error', code }.

local entries = redis.pcall('XRANGE', KEYS[1], ARGV[1], ARGV[2], 'COUNT', ARGV[3])
if entries.err then return { 'error', error_code(entries.err, 'XRANGE', KEYS[1]) } end
return { #entries, #entries > 0 and entries[#entries][1] or '' }
