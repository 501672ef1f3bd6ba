/** Values that options and arguments of appending and declaring cannot have: they are refused by name, and nothing was sent. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { integer, isPassing, stream, text } from 'millrace'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { freshGroup, visit, type Fixture } from '../stage/fixture.ts'
import { lone, refuseAll, slip, type Slip } from '../stage/slips.ts'

function slipsOfAppending({ millrace, visits }: Fixture): Slip[] {
  const values = visit(1)
  const cannot = `Error: Cannot append to stream "${visits.key}"`
  const id = (given: unknown, shown: string): Slip[] => [
    [
      `${cannot}: id is ${shown}, and allowed is an entry id`,
      () => millrace.append(visits, values, { id: slip(given) }),
    ],
    [
      `${cannot}: id is ${shown}, and allowed is an entry id`,
      () => millrace.appendMany(visits, [{ values }, { values, id: slip(given) }]),
    ],
  ]
  const extra = (given: unknown, says: string): Slip[] => [
    [says, () => millrace.append(visits, values, { extra: slip(given) })],
    [says, () => millrace.appendMany(visits, [{ values }, { values, extra: slip(given) }])],
    [says, () => millrace.appendBatch(visits, [{ values }], { extra: slip(given) })],
  ]
  const batch =
    (options: object): (() => unknown) =>
    () =>
      millrace.appendBatch(visits, [{ values }], slip(options))
  const withKey =
    (key: unknown): (() => unknown) =>
    () =>
      millrace.appendBatch(visits, [{ values }, { values, idempotencyKey: slip(key) }])
  return [
    ...id('MAXLEN', "'MAXLEN'"),
    ...id('NOMKSTREAM', "'NOMKSTREAM'"),
    ...id('1-', "'1-'"),
    ...id('18446744073709551616-*', "'18446744073709551616-*'"),
    ...id('99-00', "'99-00'"),
    ...id('', "''"),
    ...id(99, '99'),
    ...id(null, 'null'),
    ...extra('str', `${cannot}: extra is 'str', and allowed is an object`),
    ...extra(null, `${cannot}: extra is null, and allowed is an object`),
    ...extra(
      new Map([['trace', '1']]),
      `${cannot}: extra is Map(1) { 'trace' => '1' }, and allowed is an object`,
    ),
    ...extra({ trace: 5 }, 'Error: Cannot encode extra field "trace": it must be well-formed text'),
    ...extra({ a: 'b', trace: undefined }, 'Error: Cannot encode extra field "trace": it must be'),
    ...extra(
      { trace: lone },
      'Error: Cannot encode extra field "trace": it must be well-formed text',
    ),
    ...extra({ [lone]: 'b' }, 'Error: Cannot encode extra field "\\ud800": it must be well-formed'),
    [
      `${cannot}: replicas is 'x', and allowed is an integer from 0`,
      () => millrace.append(visits, values, { replicas: slip('x') }),
    ],
    [
      `${cannot}: replicas is 1.5, and allowed is an integer from 0`,
      () => millrace.append(visits, values, { replicas: 1.5 }),
    ],
    [`${cannot}: replicas is -1, and allowed is an integer from 0`, batch({ replicas: -1 })],
    [`${cannot}: isAtomic is 'no', and allowed is true or false`, batch({ isAtomic: 'no' })],
    [`${cannot}: rememberMs is 0, and allowed is an integer from 1 to`, batch({ rememberMs: 0 })],
    [`${cannot}: keysMax is NaN, and allowed is an integer from 0`, batch({ keysMax: NaN })],
    [`${cannot}: idempotencyKey is 5, and allowed is well-formed text`, withKey(5)],
    [`${cannot}: idempotencyKey is '`, withKey(lone)],
    [
      `${cannot}: values is undefined, and allowed is an object`,
      () => millrace.appendMany(visits, [{ values }, slip({})]),
    ],
    [`${cannot}: its values are an object`, () => millrace.append(visits, slip(null))],
    [
      `${cannot}: the list of entries is { values: {`,
      () => millrace.appendMany(visits, slip({ values })),
    ],
    [
      `${cannot}: the list of entries is undefined, and allowed is a list`,
      () => millrace.appendBatch(visits, slip(undefined)),
    ],
    [
      `${cannot}: { replicas: 2 } is an argument more than it takes`,
      () => millrace.appendMany(visits, [{ values }], slip({ replicas: 2 })),
    ],
  ]
}

onOldestAndNewest('appending', (bench) => {
  test('refuses a value that an option cannot have, and appends nothing', async () => {
    const fixture = await freshGroup(bench())
    await refuseAll(slipsOfAppending(fixture))
    assert.equal(await fixture.redis.send('XLEN', fixture.visits.key), 0)
  })

  test('takes undefined for the default, and ids in the forms that XADD knows', async () => {
    const fixture = await freshGroup(bench())
    const { millrace, redis, visits, group } = fixture
    const values = visit(1)
    const none = slip(undefined)
    await millrace.append(visits, values, { id: '1-*', extra: undefined, replicas: none })
    await millrace.append(visits, values, { id: '1-7' })
    await millrace.append(visits, values, { id: '*' })
    await millrace.appendMany(visits, [{ values, id: none }])
    const options = { replicas: none, isAtomic: none, rememberMs: none, extra: none, keysMax: none }
    const [outcome] = await millrace.appendBatch(
      visits,
      [{ values, idempotencyKey: none }],
      options,
    )
    assert.equal(outcome?.kind, 'appended')
    const ids = (await millrace.entryPage(visits.key, { count: none })).entries.map(({ id }) => id)
    assert.deepEqual([ids.length, ...ids.slice(0, 2)], [5, '1-0', '1-7'])
    await redis.send('XADD', fixture.dead, '1-0', 'id', '1-0', 'reason', 'handler')
    assert.equal(
      (await group.deadLetters.list({ order: none, from: none, count: none })).letters.length,
      1,
    )
    assert.equal((await group.pause(none, none)).changed, true)
    assert.equal(await group.resume(), true)
    const purged = await group.deadLetters.purge(
      { all: true, reason: none, olderThanMs: none },
      none,
    )
    assert.equal(purged.purged, 1)
  })

  test('tells an argument that the client cannot send as a fault that does not pass', async () => {
    const { millrace } = await freshGroup(bench())
    const error: unknown = await millrace.send('ECHO', slip(5)).catch((reason: unknown) => reason)
    assert.match(
      String(error),
      /^TypeError: Cannot send 'ECHO': argument 1 is 5, and allowed is text/,
    )
    assert.equal(isPassing(error), false)
    assert.equal(await millrace.send('ECHO', 'on'), 'on')
  })
})

test('declarations refuse what is no key, no name, no field and no bound', async () => {
  const wrong: Slip[] = [
    [
      'Error: Cannot declare a stream: key is undefined',
      () => stream(slip(undefined), { a: text() }),
    ],
    ['Error: Cannot declare a stream: key is 5', () => stream(slip(5), { a: text() })],
    ['Error: Cannot declare a stream: key is', () => stream(lone, { a: text() })],
    ['Error: Cannot declare stream "k": fields is null', () => stream('k', slip(null))],
    [
      'Error: Cannot declare stream "k": "\\ud800" is no well-formed name',
      () => stream('k', { [lone]: text() }),
    ],
    [
      'Error: Cannot declare stream "k": field "a" is',
      () => stream('k', { a: slip({ kind: 'integer', min: 0, max: 'x' }) }),
    ],
    [
      'Error: Cannot declare stream "k": field "a" is',
      () => stream('k', { a: { kind: 'integer', min: 2, max: 1 } }),
    ],
    [
      'Error: Cannot declare stream "k": { maxLength: 5 } is an argument more',
      () => stream('k', { a: text() }, slip({ maxLength: 5 })),
    ],
    ['Error: Cannot declare an integer: 3 is an argument more', () => integer(1, 2, slip(3))],
    [
      "Error: Cannot declare integer('1', 2): bounds are safe integers",
      () => integer(slip('1'), 2),
    ],
    ['Error: Cannot declare a text: 5 is an argument more', () => text(slip(5))],
  ]
  await refuseAll(wrong)
})
