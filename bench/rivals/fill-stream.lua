-- Appends check-ins in bulk, for filling a stream before the clock starts; each is one entry, as XADD makes it.
-- KEYS[1] stream   ARGV, four each: entry id, user id, location id, stars   Returns nothing.
for index = 1, #ARGV, 4 do
  redis.call('XADD', KEYS[1], ARGV[index],
    'locationId', ARGV[index + 2], 'userId', ARGV[index + 1], 'starRating', ARGV[index + 3])
end
