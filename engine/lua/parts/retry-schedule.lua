-- The schedule of retries. Not a script of its own: it stands in front of those that look at it. A retry that would wait
-- for longer than it was told to was scheduled before the clock was set back: it is due.
-- Guards:
--   due: takes nothing before its time, and nothing beyond the count
--   clock: takes a retry at once that was scheduled before the clock was set back

local LOOK_MAX = 100

-- Looks at the first retries. Returns the ids of those that are due, `count` at most, and the milliseconds until another
-- one is, nil when there is none.
local function look_at_schedule(retries, attempts, now, count)
  local rows = redis.call('ZRANGE', retries, 0, LOOK_MAX - 1, 'WITHSCORES')
  if #rows == 0 then return {}, nil end
  local ids = {}
  for at = 1, #rows, 2 do
    ids[#ids + 1] = rows[at]
  end
  local told = redis.pcall('HMGET', attempts, unpack(ids))
  local due, next_in = {}, nil
  for at, id in ipairs(ids) do
    local left = rows[2 * at] - now
    local wait = tonumber(string.match(told[at] or '', ':(%d+)$') or nil)
    if left <= 0 or (wait and left > wait) then left = 0 end
    if left == 0 and #due < count then
      due[#due + 1] = id
    else
      next_in = math.min(next_in or left, left)
    end
  end
  return due, next_in
end
