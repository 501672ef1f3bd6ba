import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupOverview, Overview } from '../../src/groups/overview.ts'
import { asTable } from '../../src/groups/table.ts'
import { duration, sentence } from '../../src/terminal/words.ts'

const group: GroupOverview = {
  name: 'workers',
  isManaged: true,
  state: 'behind',
  isPaused: false,
  pauses: { group: null, consumers: {} },
  lag: 1204,
  lagDoubt: null,
  oldestUndeliveredMs: 31_250,
  pending: 37,
  oldestPendingMs: null,
  oldestPending: { id: '5-0', consumer: 'ada', idleMs: 12_450, deliveries: 1 },
  deadLetters: 4,
  newestDeadLetter: null,
  deadLetterStream: 'ncc:checkins:workers:dead',
  lastDeliveredId: '9-0',
  entriesRead: null,
  consumers: [
    {
      ...{ name: 'ada', state: 'alive', isPaused: true, pending: 37, idleMs: 4 },
      oldestPending: { id: '5-0', consumer: 'ada', idleMs: 12_450, deliveries: 1 },
    },
    {
      ...{ name: 'evil \u001B[31mname', state: 'no-lease', isPaused: false, pending: 0 },
      ...{ oldestPending: null, idleMs: 90_000 },
    },
  ],
}

const overview: Overview = {
  stream: 'ncc:checkins',
  entries: 82_114,
  firstEntryId: '1-0',
  lastEntryId: '9-9',
  groups: [group],
  missingGroup: null,
  foreignGroups: [],
  readers: [],
}

const options = { isColour: false, typed: (line: string) => `npx millrace ${line}` }

test('table of groups is aligned, without a colour', () => {
  assert.deepEqual(asTable(overview, options).split('\n'), [
    'Stream ncc:checkins: 82,114 entries, 1-0 to 9-9',
    'GROUP, CONSUMER          STATE            LAG  BEHIND  PENDING  HELD FOR  DEAD',
    'workers                                 1,204  31.2 s       37    12.4 s     4',
    '  ada                    alive, paused                      37    12.4 s',
    '  "evil \\u001b[31mname"  no-lease                            0',
    'workers: last delivered 9-0; oldest pending 5-0, with ada, delivered once',
  ])
})

test('table of groups shows a lag that the server does not know as unknown', () => {
  const text = asTable({ ...overview, groups: [{ ...group, lag: null }] }, options)
  assert.match(text, /\nworkers +unknown +31\.2 s +37 /)
  const lagDoubt = { why: 'entries-deleted', atLeast: 10_000 } as const
  const counted = asTable({ ...overview, groups: [{ ...group, lag: null, lagDoubt }] }, options)
  assert.match(counted, /\nworkers +≥ 10,000 +31\.2 s +37 /)
  assert.match(counted, /\nworkers: lag unknown: entries were deleted or trimmed by others/)
  const told = asTable({ ...overview, groups: [{ ...group, lag: 52_000, lagDoubt }] }, options)
  assert.match(told, /\nworkers +~52,000 +31\.2 s +37 /)
})

test('table of groups tells no time for what is only parked', () => {
  const oldestPending = { id: '5-0', consumer: 'redrive', idleMs: 2 ** 31, deliveries: 1 }
  const parked = { ...group, oldestPending, consumers: [] }
  const text = asTable({ ...overview, groups: [parked] }, options)
  assert.match(text, /\nworkers .* 37 +parked +4\n/)
})

test('table of groups escapes what other programs put into names', () => {
  const foreignGroups = ['a\u001B[2Jb', 'tab\t"\\', '\u202Egpj']
  const text = asTable({ ...overview, foreignGroups }, options)
  assert.match(text, /here: "a\\u001b\[2Jb", "tab\\u0009\\u0022\\u005c", "\\u202egpj"$/)
})

test('a text of others gets one full stop', () => {
  assert.equal(sentence("used memory > 'maxmemory'."), "used memory > 'maxmemory'.")
  assert.equal(sentence('it is gone'), 'it is gone.')
  assert.equal(sentence('Are you sure?'), 'Are you sure?')
})

test('duration is written in the unit that fits', () => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min'],
    [3_599_999, '59 min'],
    [3_600_000, '1 h'],
    [36_000_000_000, '10,000 h'],
  ]
  for (const [ms, text] of cases) assert.equal(duration(ms), text)
})
