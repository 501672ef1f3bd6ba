/** Negative controls: known defects and known mistakes of operators, each of which the checks must catch. */
import type { Patch } from './engine-copy.ts'
import type { Fault } from './fault.ts'
import { lostReply } from './faults/connections.ts'
import { deliveryCounts, kill, zombie } from './faults/consumers.ts'
import { bareDelconsumer, bareTrim, recreateAtZero, wrongType } from './faults/mistakes.ts'
import type { Violation } from './history.ts'

export interface Control {
  readonly name: string
  /** What is wrong, in words. */
  readonly what: string
  /** Defects of the engine that the consumers run. */
  readonly patches: readonly Patch[]
  /** What has to strike for it to show. */
  readonly faults: readonly Fault[]
  /** One of these violations must be found. */
  readonly expected: readonly Violation['kind'][]
}

const gate = 'engine/lua/acknowledge-and-apply.lua'
const acknowledgeAll = `for at = 1, #ids, 5000 do
  redis.call('XACK', stream, group, unpack(ids, at, math.min(at + 4999, #ids)))
end
`

// The ledger is a second gate: with it, the defects below are noticed before they count anything twice.
const notNoticed: Patch = {
  file: gate,
  find: `if was_any_settled(ledger, ids) then return { 'error', moved_back(KEYS[4]) } end`,
  replace: '',
}

export const controls: readonly Control[] = [
  {
    name: 'no-gate',
    what: 'effects are applied whether the entries are pending or not',
    patches: [
      {
        file: gate,
        find: `if #still < #ids then return { 'gone', still } end`,
        replace: '',
      },
      notNoticed,
    ],
    faults: [lostReply, zombie, lostReply, lostReply],
    expected: ['duplicated'],
  },
  {
    name: 'acknowledge-before-check',
    what: 'the script acknowledges before it checks whether the hashes can take the effects',
    patches: [
      { file: gate, find: acknowledgeAll, replace: '' },
      {
        file: gate,
        find: 'local refusals\n',
        replace: `${acknowledgeAll}local refusals\n`,
      },
    ],
    faults: [wrongType],
    expected: ['lost'],
  },
  {
    name: 'two-calls',
    what: 'effects in one call, acknowledgement in another',
    patches: [
      { file: gate, find: acknowledgeAll, replace: '' },
      {
        file: 'engine/src/scripts/apply.ts',
        find: `    return answerOf(reply, keys, { stream, group })`,
        replace: `    if (reply[0] === 'applied') await connection.send(['XACK', stream, group, ...ids])
    return answerOf(reply, keys, { stream, group })`,
      },
    ],
    faults: [lostReply, lostReply, lostReply],
    expected: ['duplicated'],
  },
  {
    name: 'last-writer-wins',
    what: 'lastCheckin is that of the entry that was applied last',
    patches: [
      {
        file: 'engine/lua/parts/integers.lua',
        find: 'local function wins(choice, id, held)\n',
        replace: 'local function wins(choice, id, held)\n  do return true end\n',
      },
      {
        file: 'engine/src/operators/choice.ts',
        find: ' value + 0 end\n      end',
        replace: ' value + 0 end\n        win = true\n      end',
      },
    ],
    faults: [kill, zombie, kill, zombie],
    expected: ['wrong', 'moved-back'],
  },
  {
    name: 'xtrim-maxlen',
    what: 'somebody trims by length alone',
    patches: [],
    faults: [bareTrim],
    expected: ['lost', 'overtaken'],
  },
  {
    name: 'bare-delconsumer',
    what: 'somebody deletes a consumer that has pending entries',
    patches: [],
    faults: [bareDelconsumer],
    expected: ['lost'],
  },
  {
    name: 'group-at-0',
    what: 'somebody creates the group again, at 0, and the ledger is not asked',
    patches: [
      notNoticed,
      {
        file: 'engine/lua/parts/ledger.lua',
        find: `    if is_before(ledger.delivered, id_or(places[2], '0-0')) then return nil, moved_back(key) end\n`,
        replace: '',
      },
      {
        file: 'engine/lua/push-down.lua',
        find: `if was_any_settled(ledger, { entries[1][1] }) then return { 'error', moved_back(KEYS[4]) } end`,
        replace: '',
      },
      {
        file: 'engine/src/consume/delivery-reader.ts',
        find: '    if (compareIds(first.id, this.#lastNew) <= 0)',
        replace: '    if (compareIds(first.id, this.#lastNew) > Infinity)',
      },
      {
        file: 'engine/src/consume/delivery-reader.ts',
        find: ' || compareIds(position, seen) >= 0) return',
        replace: ' || compareIds(position, seen) > -Infinity) return',
      },
    ],
    faults: [recreateAtZero],
    expected: ['duplicated'],
  },
  {
    name: 'delivery-count',
    what: 'an entry that was delivered too often becomes a dead letter',
    patches: [
      {
        file: 'engine/lua/claim.lua',
        find: '  if row[3] >= tonumber(ARGV[4]) then\n',
        replace: `  if row[4] >= 10 then
    write_dead_letters(KEYS[1], KEYS[2], claimer, { { row[1], 'handler', 'delivered too often' } })
    redis.call('XACK', KEYS[1], group, row[1])
  elseif row[3] >= tonumber(ARGV[4]) then
`,
      },
    ],
    faults: [deliveryCounts],
    expected: ['innocent'],
  },
]
