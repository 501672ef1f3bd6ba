-- The effect of one check-in on its user and its location, as the seed's exercise has it: out of order, without a race.
-- KEYS[1] user hash   KEYS[2] location hash   ARGV[1] time of the check-in (ms)   ARGV[2] location id   ARGV[3] stars
local lastCheckin = redis.call('HGET', KEYS[1], 'lastCheckin')
if not lastCheckin or tonumber(ARGV[1]) > tonumber(lastCheckin) then
  redis.call('HSET', KEYS[1], 'lastCheckin', ARGV[1], 'lastSeenAt', ARGV[2])
end
redis.call('HINCRBY', KEYS[1], 'numCheckins', 1)

local numCheckins = redis.call('HINCRBY', KEYS[2], 'numCheckins', 1)
local numStars = redis.call('HINCRBY', KEYS[2], 'numStars', ARGV[3])
redis.call('HSET', KEYS[2], 'averageStars', math.floor(numStars / numCheckins + 0.5))
