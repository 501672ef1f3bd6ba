#!lua flags=no-writes,allow-oom
-- Counts entries without sending them: one step of a walk, bounded in entries and in bytes.
-- KEYS[1] stream  ARGV[1] first id, '(' before it leaves it out  ARGV[2] last id, likewise  ARGV[3] entries to count at most
-- Returns { count, id to go on after or '' at the end, bytes that were read }; a missing stream counts 0. Or
-- { 'error', code }.
-- @include parts/checks
-- @include parts/read-in-steps

local counted, last, is_end = read_in_steps('XRANGE', KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]))
if not counted then return { 'error', last } end
return { counted, is_end and '' or last, BYTES_MAX - bytes_left }
