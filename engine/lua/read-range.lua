#!lua flags=no-writes,allow-oom
-- Reads entries of a range, as many as fit into a call: one step of a walk.
-- KEYS[1] stream  ARGV[1] XRANGE or XREVRANGE  ARGV[2], ARGV[3] where it begins and ends, as that takes them
-- ARGV[4] entries at most
-- Returns { 'read', 1 when the range ends with them or 0, { entry ... } } or { 'error', code }.
-- @include parts/checks
-- @include parts/read-in-steps

local entries = {}
local read, problem, is_end = read_in_steps(ARGV[1], KEYS[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), function(entry)
  entries[#entries + 1] = entry
end)
if not read then return { 'error', problem } end
return { 'read', is_end and 1 or 0, entries }
