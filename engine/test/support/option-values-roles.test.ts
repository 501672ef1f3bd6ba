/** Values that trimming, consumers, readers and pages cannot take: they are refused by name, and nothing was done. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pressure, Trimmer } from 'millrace'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { groupKeys, streamLedger } from '../../src/redis/keys.ts'
import { appendVisits, freshGroup, type Fixture } from '../stage/fixture.ts'
import { process } from '../stage/retention.ts'
import { refuseAll, slip, type Slip } from '../stage/slips.ts'
import { script } from '../stage/script-calls.ts'

function slipsOfTrimming({ millrace, visits, prefix }: Fixture): Slip[] {
  const trim = `Error: Cannot trim stream "${visits.key}"`
  const trimmer = `Error: Cannot make a trimmer of stream "${visits.key}"`
  const both = (says: string, options: object): Slip[] => [
    [`${trim}: ${says}`, () => millrace.trim(visits, slip(options))],
    [`${trimmer}: ${says}`, () => new Trimmer(millrace, visits, slip(options))],
  ]
  const reader = (says: string, given: object): Slip[] => [
    [says, () => millrace.trim(visits, { readers: [slip(given)] })],
    [says, () => new Trimmer(millrace, visits, { readers: [slip(given)] })],
  ]
  const positionKey = `${prefix}:at`
  const respect = 'Error: Cannot respect a reader'
  return [
    ...reader(`${respect}: ifMissing is 'Hold', and allowed is 'hold' or 'ignore'`, {
      positionKey,
      ifMissing: 'Hold',
    }),
    ...reader(`${respect}: ifMissing is null, and allowed is`, { positionKey, ifMissing: null }),
    ...reader(`${respect}: positionKey is undefined, and allowed is well-formed text`, {}),
    ...reader(`${respect}: positionKey is '', and allowed is`, { positionKey: '' }),
    ...both("readers is 'r', and allowed is a list of an object", { readers: 'r' }),
    ...both('readers is null, and allowed is', { readers: null }),
    ...both("groups is 'desk', and allowed is a list of well-formed text", { groups: 'desk' }),
    ...both("groups is [ 'desk', 5 ], and allowed is", { groups: ['desk', 5] }),
    ...both('keepEntries is -1, and allowed is an integer from 0', { keepEntries: -1 }),
    ...both("keepEntries is '5', and allowed is an integer from 0", { keepEntries: '5' }),
    ...both('keepMs is NaN, and allowed is an integer from 0', { keepMs: NaN }),
    ...both('batch is 0, and allowed is an integer from 1 to 10000', { batch: 0 }),
    ...both('signal is true, and allowed is an AbortSignal', { signal: true }),
    [
      `${trim}: dryRun is 'no', and allowed is true or false`,
      () => millrace.trim(visits, { dryRun: slip('no') }),
    ],
    [
      'Error: Cannot use "a b" as name of a group',
      () => millrace.trim(visits, { groups: ['a b'] }),
    ],
    [
      `Error: Cannot trim: the stream is the text "visits", and allowed is what stream() returns`,
      () => millrace.trim(slip('visits')),
    ],
    [
      `${trimmer}: everyMs is 0, and allowed is an integer from 1`,
      () => new Trimmer(millrace, visits, { everyMs: 0 }),
    ],
    [
      `${trimmer}: observer is { ran: 5 }, and allowed is an object with functions`,
      () => new Trimmer(millrace, visits, { observer: slip({ ran: 5 }) }),
    ],
  ]
}

function slipsOfRoles({ millrace, visits, guests, group, prefix }: Fixture): Slip[] {
  const pressure = `Error: Cannot watch the pressure of stream "${visits.key}"`
  const watch = (options: object) => () => new Pressure(millrace, visits, slip(options))
  const consumer = group.consumer('ada', { handler: () => undefined })
  const given = { name: 'r', positionKey: `${prefix}:at`, projections: [guests] }
  const reader = (options: object) => () => millrace.reader(visits, slip({ ...given, ...options }))
  return [
    [`${pressure}: backlogMax is '5', and allowed is a number from 0`, watch({ backlogMax: '5' })],
    [
      `${pressure}: memoryShareMax is 90, and allowed is a number from 0 to 1`,
      watch({ memoryShareMax: 90 }),
    ],
    [
      `${pressure}: eventLoopDelayMaxMs is NaN, and allowed is`,
      watch({ eventLoopDelayMaxMs: NaN }),
    ],
    [`${pressure}: everyMs is 0, and allowed is a number from 20 to 60000`, watch({ everyMs: 0 })],
    [`${pressure}: onChange is 'log', and allowed is a function`, watch({ onChange: 'log' })],
    [
      'Error: Cannot watch the pressure: the stream is',
      () => new Pressure(millrace, slip('visits')),
    ],
    ['Error: Cannot make a trimmer: the stream is', () => new Trimmer(millrace, slip('visits'))],
    ['Error: Cannot make a reader: the stream is', () => millrace.reader(slip('visits'), given)],
    [
      "Error: Cannot make a reader: drain is 'no', and allowed is true or false",
      reader({ drain: 'no' }),
    ],
    [
      'Error: Cannot stop Consumer "ada": withinMs is \'5\', and allowed is a number from 0',
      () => consumer.stop({ withinMs: slip('5') }),
    ],
    ['Error: Cannot stop Consumer "ada": withinMs is -1', () => consumer.stop({ withinMs: -1 })],
    ['Error: Cannot close the Millrace: withinMs is NaN', () => millrace.close({ withinMs: NaN })],
    [
      'Error: Cannot look by what group "desk" folds: projections is no list',
      () => group.foldedBy(slip(guests)),
    ],
    [
      'Error: Cannot rank hashes: the list of keys is [ 5 ], and allowed is',
      () => millrace.rankHashes(visits, guests, [slip(5)]),
    ],
    ['Error: Cannot look at entry ["1-0"]: no entry id', () => group.entryState(slip(['1-0']))],
  ]
}

function slipsOfPages({ millrace, visits: { key } }: Fixture): Slip[] {
  const read = `Error: Cannot read a page of "${key}"`
  const page = (options: object) => () => millrace.entryPage(key, slip(options))
  const top = (options: object) => () => millrace.rankingPage('top', slip(options))
  const ranking = 'Error: Cannot read ranking "top"'
  return [
    [`${read}: order is 'desc', and allowed is 'oldest' or 'newest'`, page({ order: 'desc' })],
    [`${read}: count is 1001, and allowed is an integer from 1 to 1000`, page({ count: 1001 })],
    [`${read}: from is 5, and allowed is an entry id, or its time (ms) as text`, page({ from: 5 })],
    [`${read}: to is '05', and allowed is an entry id`, page({ to: '05' })],
    [`${read}: after is '5', and allowed is an entry id`, page({ after: '5' })],
    ['Error: Cannot read a page: key is undefined', () => millrace.entryPage(slip(undefined))],
    [`${ranking}: limit is undefined, and allowed is an integer from 1 to 1000`, top({})],
    [`${ranking}: limit is '5', and allowed is an integer`, top({ limit: '5' })],
    [`${ranking}: after is 'a', and allowed is an object`, top({ limit: 5, after: 'a' })],
    [
      `${ranking}: after.score is Infinity, and allowed is a finite number`,
      top({ limit: 5, after: { score: Infinity, member: 'a' } }),
    ],
    [
      `${ranking}: after.member is 5, and allowed is well-formed text`,
      top({ limit: 5, after: { score: 1, member: 5 } }),
    ],
    ['Error: Cannot read a ranking: key is 5', () => millrace.rankingPage(slip(5), { limit: 5 })],
  ]
}

onOldestAndNewest('roles', (bench) => {
  test('refuse a value that an option of trimming cannot have, and nothing goes', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await appendVisits(fixture, 3)
    await process(fixture, 'desk', 3)
    await refuseAll(slipsOfTrimming(fixture))
    assert.equal(await redis.send('XLEN', visits.key), 3)
    // Whoever calls the script: what it does not know holds.
    const positionKey = `${fixture.prefix}:at`
    const ledgers = [streamLedger(visits.key), groupKeys(visits.key, 'desk').ledger]
    const keys = [visits.key, ...ledgers, positionKey]
    const args = ['10', '0', '', '1', 'desk', 'Hold']
    const reply = await redis.send('EVAL', script('trim').text, '4', ...keys, ...args)
    assert.deepEqual((reply as unknown[])[5], ['position', positionKey, '0-0'])
    assert.equal(await redis.send('XLEN', visits.key), 3)
  })

  test('refuse other values that an option cannot have', async () => {
    const fixture = await freshGroup(bench())
    await refuseAll([...slipsOfRoles(fixture), ...slipsOfPages(fixture)])
  })
})
