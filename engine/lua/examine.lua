#!lua flags=no-writes,allow-oom
-- Compares a group with its ledger, and says what a recovery would start from. Writes nothing.
-- KEYS[1] stream  KEYS[2] ledger
-- ARGV[1] group
-- Returns { kind, mode or '', position, applied, deadLettered, redriven, last delivered id, since (ms) } as `recovery.lua`
-- states them, or { 'error', code }.
-- @include parts/checks
-- @include parts/recovery

local state, problem = state_of(KEYS[1], ARGV[1], KEYS[2])
if not state then return { 'error', problem } end
return {
  state.kind,
  state.mode or '',
  state.position,
  state.applied,
  state.dead,
  state.redriven,
  state.delivered,
  state.since,
}
