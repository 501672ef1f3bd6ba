-- The effects of a batch: everything is checked before anything is written, because scripts do not roll back.
-- Not a script of its own: it stands in front of those that gate it, behind `projections`, which src/apply/compile-plan.ts
-- compiles: how the rows of each projection are checked against their hashes, and written.
-- A row is refused with a code: wrong-type, not-an-integer, not-an-id, overflow, full (no entry fits, not even alone),
-- reserved-key; and with the field of the hash that it is about, if any.
-- Guards:
--   reserved: refuses a hash whose key the script itself or a ranking has
--   rights: has the right to write each hash before the first write
--   no-fault: refuses no row for what neither its hash nor its entries are to blame for
-- @include parts/checks
-- @include parts/integers
-- @include parts/rankings
-- @include compiled/plans

-- Checks all rows, lists per projection. The hash of the first row is KEYS[first_key]. Returns the refusals as a flat
-- list: position of the row (from 0), code and field or '', in turn; or nil and the code of a problem that no row is to blame for.
local function check_effects(rows, first_key)
  local refusals, reserved, position = {}, {}, 0
  for at = 1, first_key - 1 do
    reserved[KEYS[at]] = true
  end
  local problem = check_rankings(projections, first_key - 1, reserved)
  if problem then return nil, problem end
  for index, projection in ipairs(projections) do
    local list = rows[index]
    for at = 1, #list do
      list[at][projection.key] = KEYS[first_key + position + at - 1]
    end
    if list[1] then
      problem = check_permissions({ 'HSET', KEYS[first_key + position], 'field', 'value' })
      if problem then return nil, problem end
    end
    projection.check(list, reserved, function(_, code, at, field)
      if is_fatal(code) then problem = code end
      refusals[#refusals + 1] = position + at - 1
      refusals[#refusals + 1] = code
      refusals[#refusals + 1] = field or ''
    end)
    if problem then return nil, problem end
    position = position + #list
  end
  return refusals
end

-- Cannot fail: check_effects has seen each hash in this same call, and the script may write on a full server.
local function write_effects(rows)
  for index, projection in ipairs(projections) do
    projection.write(rows[index])
  end
end
