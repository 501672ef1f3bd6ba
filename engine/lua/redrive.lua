#!lua flags=allow-oom
-- Sends one dead letter back: makes its entry pending again in the same group under the same id, claimable at once, and
-- deletes the letter. Both or neither, so of two operators one does it.
-- KEYS[1] stream  KEYS[2] dead-letter stream  KEYS[3] ledger
-- ARGV[1] group  ARGV[2] id of the letter  ARGV[3] parking consumer  ARGV[4] idle time (ms)
-- Returns one of
--   { 'redriven' }
--   { 'gone' }         there is no such letter (any more)
--   { 'body-gone' }    the stream does not hold the entry any more. The letter stays.
--   { 'mismatch' }     the stream holds another entry under this id, or the letter names none. The letter stays.
--   { 'undelivered' }  the group has yet to deliver the entry: it was moved back. The letter stays.
--   { 'older' }        it was written before the ledger began: the group was made anew since. The letter stays.
--   { 'error', code }  no-group, wrong-type (of the stream or the dead-letter stream), no-permission. Nothing written.
-- Guards:
--   once: a letter is sent back once, by whomever
--   body: sends back nothing whose entry is gone
--   same: sends back no other entry under the same id
--   delivered: sends back nothing that is yet to be delivered
--   older: sends back nothing of a group that was made anew since
--   pending: leaves an entry that is pending already with its consumer
--   rights: has all rights before its first write
-- @include parts/checks
-- @include parts/ledger

local stream, dead, group = KEYS[1], KEYS[2], ARGV[1]

local found = redis.pcall('XRANGE', dead, ARGV[2], ARGV[2])
if found.err then return { 'error', error_code(found.err, 'XRANGE', dead) } end
if #found == 0 then return { 'gone' } end

-- What is about the entry stands before its fields, so a field cannot pass for it.
local letter, about, fields_at = found[1][2], {}, nil
for at = 1, #letter, 2 do
  if letter[at] == 'packed' or string.sub(letter[at], 1, 6) == 'field:' then
    fields_at = at
    break
  end
  about[letter[at]] = letter[at + 1]
end
local id = about.id or ''

-- An entry never changes. If it differs, the stream was made anew, and redriving would count what was never refused.
local function is_same(fields)
  if not fields_at then return false end
  if letter[fields_at] == 'packed' then return letter[fields_at + 1] == cmsgpack.pack(fields) end
  if #fields ~= #letter - fields_at + 1 then return false end
  for at = 1, #fields, 2 do
    local held = fields_at + at - 1
    if letter[held] ~= 'field:' .. fields[at] or letter[held + 1] ~= fields[at + 1] then return false end
  end
  return true
end

local ledger, problem = open_ledger(KEYS[3], stream, group, dead)
if not ledger then return { 'error', problem } end

if not string.find(id, '^%d+%-%d+$') then return { 'mismatch' } end
local entry = redis.pcall('XRANGE', stream, id, id)
if entry.err then return { 'mismatch' } end -- beyond 64 bits
if #entry == 0 then return { 'body-gone' } end
if not is_same(entry[1][2]) then return { 'mismatch' } end
-- By ids: times may be those of a clock that was set back.
if ledger.since and not is_before(ledger.letters_from, ARGV[2]) then return { 'older' } end
-- It would be delivered once more, after it was applied.
if is_before(ledger.delivered, entry[1][1]) then return { 'undelivered' } end

local pending = redis.pcall('XPENDING', stream, group, id, id, 1)
if pending.err then return { 'error', error_code(pending.err, 'XPENDING', stream) } end
local claim = { 'XCLAIM', stream, group, ARGV[3], 0, id, 'FORCE', 'IDLE', ARGV[4], 'JUSTID' }
local removal = { 'XDEL', dead, ARGV[2] }
problem = check_permissions(claim, removal)
if problem then return { 'error', problem } end

-- From here on nothing can fail. What somebody has made pending already stays with whom it is.
if #pending == 0 then redis.call(unpack(claim)) end
redis.call(unpack(removal))
redriven_in_ledger(ledger, id)
return { 'redriven' }
