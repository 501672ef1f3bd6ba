/** Values that calls of a group and its dead letters cannot take: they are refused by name, and nothing was changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { appendVisits, freshGroup, type Fixture } from '../stage/fixture.ts'
import { process } from '../stage/retention.ts'
import { refuseAll, slip, type Slip } from '../stage/slips.ts'

function slipsOfLetters({ group: { deadLetters } }: Fixture): Slip[] {
  const cannot = 'Error: Cannot select dead letters'
  const selections: [unknown, string][] = [
    [{}, `${cannot}: which ones is not said. Give ids, or all: true`],
    [{ ids: undefined }, `${cannot}: which ones is not said`],
    [{ reason: 'handler' }, `${cannot}: which ones is not said`],
    [{ all: false }, `${cannot}: all is false, and allowed is true`],
    [{ all: 'yes' }, `${cannot}: all is 'yes', and allowed is true`],
    [{ ids: ['1-0'], all: true }, `${cannot}: ids and all contradict`],
    [{ ids: ['1-0'], reason: 'handler' }, `${cannot}: ids and reason contradict`],
    [{ ids: ['1-0'], olderThanMs: 5 }, `${cannot}: ids and olderThanMs contradict`],
    [{ ids: '1-0' }, `${cannot}: ids is '1-0', and allowed is a list of an entry id`],
    [{ ids: ['1-0', 5] }, `${cannot}: ids is [ '1-0', 5 ], and allowed is a list of an entry id`],
    [{ ids: ['0-00'] }, `${cannot}: ids is [ '0-00' ], and allowed is`],
    [
      { all: true, olderThanMs: NaN },
      `${cannot}: olderThanMs is NaN, and allowed is a number from 0`,
    ],
    [
      { all: true, olderThanMs: -1 },
      `${cannot}: olderThanMs is -1, and allowed is a number from 0`,
    ],
    [
      { all: true, olderThanMs: '5' },
      `${cannot}: olderThanMs is '5', and allowed is a number from 0`,
    ],
    [{ all: true, reason: null }, `${cannot}: reason is null, and allowed is well-formed text`],
    [null, `${cannot}: its options are an object`],
  ]
  const all = { all: true } as const
  return [
    ...selections.flatMap(([given, says]): Slip[] => [
      [says, () => deadLetters.purge(slip(given))],
      [says, () => deadLetters.redrive(slip(given))],
      [says, () => deadLetters.count(slip(given))],
    ]),
    [
      `Error: Cannot list dead letters: order is 'sideways', and allowed is 'newest' or 'oldest'`,
      () => deadLetters.list({ order: slip('sideways') }),
    ],
    ['Error: Cannot list dead letters: from is', () => deadLetters.list({ from: '0-00' })],
    [
      'Error: Cannot list dead letters: from is',
      () => deadLetters.list({ from: '18446744073709551616-0' }),
    ],
    [
      'Error: Cannot list dead letters: count is 0, and allowed is an integer from 1 to 10000',
      () => deadLetters.list({ count: 0 }),
    ],
    ['Error: Cannot list dead letters: reason is 5', () => deadLetters.list({ reason: slip(5) })],
    ['Error: Cannot find dead letters: the list of ids is [', () => deadLetters.find('1-0', '1')],
    ['Error: Cannot count dead letters: onMissing is 5', () => deadLetters.count(all, slip(5))],
    [
      'Error: Cannot redrive dead letters: ratePerSecond is 0',
      () => deadLetters.redrive(all, { ratePerSecond: 0 }),
    ],
    [
      `Error: Cannot redrive dead letters: ratePerSecond is '5'`,
      () => deadLetters.redrive(all, { ratePerSecond: slip('5') }),
    ],
    [
      'Error: Cannot purge dead letters: signal is true, and allowed is an AbortSignal',
      () => deadLetters.purge(all, { signal: slip(true) }),
    ],
    [
      `Error: Cannot purge dead letters: onOutcome is 'log', and allowed is a function`,
      () => deadLetters.purge(all, { onOutcome: slip('log') }),
    ],
  ]
}

function slipsOfGroups(fixture: Fixture): Slip[] {
  const { group, millrace, visits } = fixture
  const recover = group.recover.bind(group) as (options: unknown) => unknown
  return [
    ...[undefined, null, 5].flatMap((name): Slip[] => [
      [
        `Error: Cannot use ${name} as name of a group: it is no text`,
        () => millrace.group(visits, slip(name)),
      ],
      [
        `Error: Cannot use ${name} as name of a consumer: it is no text`,
        () => group.consumer(slip(name), { handler: () => undefined }),
      ],
    ]),
    [
      `Error: Cannot use "a b" as name of a group: allowed are`,
      () => millrace.group(visits, 'a b'),
    ],
    [
      'Error: Cannot use a group: the stream is nothing',
      () => millrace.group(slip(undefined), 'desk'),
    ],
    [
      `Error: Cannot recover group "desk": { dryRun: true } is an argument more than it takes`,
      () => recover({ dryRun: true }),
    ],
    [
      `Error: Cannot repair the lag of group "desk": execute is 'no', and allowed is true or false`,
      () => group.repairLag({ execute: slip('no') }),
    ],
    [
      `Error: Cannot accept losses of group "desk": execute is 'false', and allowed is`,
      () => group.acceptLoss({ execute: slip('false') }),
    ],
    [`Error: Cannot create group "desk" on "`, () => group.create({ from: slip(5) })],
    [
      `Error: Cannot pause or resume in group "desk": consumer is undefined, and allowed is well-formed text`,
      () => group.pause({ consumer: slip(undefined) }, { future: true }),
    ],
    [
      `Error: Cannot pause or resume in group "desk": consumer is 5`,
      () => group.pause({ consumer: slip(5) }, { future: true }),
    ],
    [
      `Error: Cannot pause or resume in group "desk": who is 'bob', and allowed is 'group', or { consumer: its name }`,
      () => group.pause(slip('bob')),
    ],
    [`Error: Cannot pause or resume in group "desk": who is null`, () => group.resume(slip(null))],
    [
      `Error: Cannot pause group "desk" or its consumers: future is 'no'`,
      () => group.pause({ consumer: 'bob' }, { future: slip('no') }),
    ],
    [
      `Error: Cannot resume group "desk" or its consumers: { future: true } is an argument more`,
      () => group.resume('group', slip({ future: true })),
    ],
    [
      `Error: Cannot remove a consumer of group "desk": name is 5`,
      () => group.removeConsumer(slip(5)),
    ],
    [
      `Error: Cannot remove a consumer of group "desk": name is undefined`,
      () => group.removeConsumer(slip(undefined)),
    ],
    [
      `Error: Cannot remove a consumer of group "desk": { dryRun: true } is an argument more`,
      () => group.removeConsumer('one', slip({ dryRun: true })),
    ],
  ]
}

onOldestAndNewest('group', (bench) => {
  test('refuses a value that an option cannot have, and changes nothing', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await appendVisits(fixture, 3)
    await process(fixture, 'desk', 3)
    await redis.send('XADD', fixture.dead, '1-0', 'id', '1-0', 'reason', 'handler')
    await refuseAll([...slipsOfLetters(fixture), ...slipsOfGroups(fixture)])
    assert.equal(await redis.send('XLEN', visits.key), 3)
    assert.equal(await redis.send('XLEN', fixture.dead), 1)
    const pauses = await group.pauses()
    assert.deepEqual([pauses.group, { ...pauses.consumers }], [null, {}])
    assert.deepEqual(
      (await group.roster()).map(({ name }) => name),
      ['one'],
    )
  })
})
