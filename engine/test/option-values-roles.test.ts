/** Values that trimming, consumers, readers and pages cannot take: they are refused by name, and nothing was done. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Trimmer } from 'millrace'
import { onOldestAndNewest } from '../../testing/on-each-server.ts'
import { groupKeys, streamLedger } from '../src/keys.ts'
import { scripts } from '../src/redis/scripts.ts'
import { appendVisits, freshGroup, type Fixture } from './fixture.ts'
import { process } from './retention.ts'
import { refuseAll, slip, type Slip } from './slips.ts'

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
    const reply = await redis.send('EVAL', scripts.trim.text, '4', ...keys, ...args)
    assert.deepEqual((reply as unknown[])[5], ['position', positionKey, '0-0'])
    assert.equal(await redis.send('XLEN', visits.key), 3)
  })
})
