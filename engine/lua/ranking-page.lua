#!lua flags=no-writes,allow-oom
-- Reads a page of a ranking: the highest score first, equal scores by descending bytes of the member.
-- KEYS[1] ranking  ARGV[1] members at most  ARGV[2] score, ARGV[3] member: begin after that place, whether or not that
-- member is there now; both missing: at the top
-- Returns { 'page', members in the ranking, position of the first (from 0), { member, score ... } }, or { 'error', code }
-- @include parts/checks

local key = KEYS[1]

-- Not `<`: it goes by the locale of the server.
local function is_above(a, b)
  for at = 1, math.min(#a, #b) do
    local left, right = string.byte(a, at), string.byte(b, at)
    if left ~= right then return left > right end
  end
  return #a > #b
end

-- How many are above the place or at it. Takes as many steps as the number of equal scores has bits.
local function position_after(score, member)
  local low = redis.call('ZCOUNT', key, '(' .. score, '+inf')
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local held = redis.call('ZRANGE', key, middle, middle, 'REV')[1]
    if held == member or is_above(held, member) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local total = redis.pcall('ZCARD', key)
if type(total) == 'table' then return { 'error', error_code(total.err, 'ZCARD', key) } end
local first = ARGV[2] and position_after(ARGV[2], ARGV[3]) or 0
local last = first + tonumber(ARGV[1]) - 1
return { 'page', total, first, redis.call('ZRANGE', key, first, last, 'REV', 'WITHSCORES') }
