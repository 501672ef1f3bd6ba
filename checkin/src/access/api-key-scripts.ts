/** What becomes of an API key in one step. KEYS of both: [1] keys  [2] last uses  [3] revoked keys. ARGV[1]: id of the key. */

/** How many revoked keys are remembered. */
export const revokedMax = 1000

// A string: Lua writes such a number as 1.7e+12 otherwise.
const now = `
local time = redis.call('TIME')
local now = string.format('%d%03d', time[1], math.floor(time[2] / 1000))
`

// ARGV[2] how many revoked keys are remembered.   Returns 1, or 0 when there is no such key.
// A server that is full takes what removes, and then the rest of the script: so HDEL comes first.
export const revoke = `
local key = redis.call('HGET', KEYS[1], ARGV[1])
if not key then return 0 end
local used = redis.call('HGET', KEYS[2], ARGV[1])
redis.call('LLEN', KEYS[3])
${now}
local record = cjson.encode({ id = ARGV[1], at = now, used = used or '', key = key })
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[3], record)
redis.call('LTRIM', KEYS[3], 0, ARGV[2] - 1)
return 1
`

// Receivers know of a revocation some seconds later: what is noted meanwhile would stay for ever.
export const noteUse = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
${now}
redis.call('HSET', KEYS[2], ARGV[1], now)
return 1
`
