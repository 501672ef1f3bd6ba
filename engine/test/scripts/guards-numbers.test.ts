/** The Lua that computes: exact beyond 2^53, within 64 bits, by the rules of the server and of src/fields.ts; and by which entry a hash is set. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { luaCalls } from '../stage/lua-calls.ts'

const min = -(2n ** 63n)
const max = 2n ** 63n - 1n
const exact = BigInt(Number.MAX_SAFE_INTEGER)
// 2^53 + 1 as a number is 2^53: what is added to that looks exact again.
const edges = [0n, 2n, 999_999_999n, 10n ** 9n, 10n ** 18n, 2n ** 51n, exact, exact + 2n, max - 1n]
const integers = [...edges, ...edges.map((edge) => -edge), max, min, min + 1n, 2n ** 62n]

/** As Node hands an amount over: a number as long as it is exact. */
const amountOf = (value: bigint): number | string =>
  value <= exact && value >= -exact ? Number(value) : String(value)

onOldestAndNewest('integers', (bench) => {
  test('are added exactly, and leave neither 64 bits nor the exact numbers unseen', async (t) => {
    const run = await luaCalls(t, bench())
    const pairs = integers.flatMap((a) => integers.map((b) => [a, b] as const))
    const found = await run(
      'return add(a, b, false)',
      pairs.map(([a, b]) => [String(a), amountOf(b)]),
    )
    for (const [at, [a, b]] of pairs.entries()) {
      const sum = a + b
      const isExact = sum <= exact && sum >= -exact
      const isOut = sum > max || sum < min
      // A number only where it is exact; text is exact everywhere.
      const right = isOut ? [' overflow'] : [String(sum), ...(isExact ? [`#${sum}`] : [])]
      assert.ok(right.includes(found[at] ?? ''), `${a} + ${b}: ${found[at]}`)
    }
  })

  test('of an average stay where twice the sum is exact', async (t) => {
    const run = await luaCalls(t, bench())
    const most = 2n ** 51n
    const calls = [most - 1n, most, -most, -most - 1n].map((held) => [String(held), 1])
    const found = await run('return add(a, b, true)', calls)
    assert.deepEqual(found, [`#${most}`, ' overflow', `#${1n - most}`, `#${-most}`])
    const below = await run('return add(a, b, true)', [[String(-most), -1]])
    assert.deepEqual(below, [' overflow'])
  })

  test('are what HINCRBY takes for one', async (t) => {
    const run = await luaCalls(t, bench())
    const { redis } = bench()
    const odd = [
      '',
      '-',
      '-0',
      '+1',
      '01',
      '-01',
      ' 1',
      '1 ',
      '1\n',
      '1.0',
      '1e3',
      '0x1',
      'nan',
      'inf',
      '٣',
    ]
    const wide = [max + 1n, min - 1n, 10n ** 19n, 10n ** 25n, -(10n ** 19n)]
    const texts = [...odd, ...[...integers, ...wide].map(String)]
    const found = await run(
      'return is_integer(a)',
      texts.map((text) => [text]),
    )
    const key = freshPrefix()
    for (const [at, text] of texts.entries()) {
      await redis.send('HSET', key, 'field', text)
      const isTaken = await redis.send('HINCRBY', key, 'field', '0').then(
        () => true,
        () => false,
      )
      assert.equal(found[at], String(isTaken), JSON.stringify(text))
    }
  })

  test('of a batch that have left 64 bits do not come back', async (t) => {
    const run = await luaCalls(t, bench())
    const fold = 'return add_exactly(add_exactly(a, b), c)'
    const [beyond = '', back, exactly] = await run(fold, [
      [String(max), 1, -1],
      [String(max), -1, 1],
      [Number(exact), 1, 1],
    ])
    assert.deepEqual([back, exactly], [String(max), String(exact + 2n)])
    assert.deepEqual(await run("return add('0', a, false)", [[beyond]]), [' overflow'])
    assert.deepEqual(await run('return add(a, b, false)', [[String(min), beyond]]), [' overflow'])
  })

  test('of a text are none where fields.ts would take none', async (t) => {
    const run = await luaCalls(t, bench())
    const odd = [
      '',
      '-',
      '-0',
      '+1',
      '01',
      ' 1',
      '1 ',
      '1.0',
      '1e1',
      '0x1',
      '8',
      '-1',
      '1'.repeat(30),
    ]
    const found = await run(
      'return integer_within(a, 0, 7)',
      [...odd, '0', '7'].map((text) => [text]),
    )
    assert.deepEqual(found, [...odd.map(() => 'false'), '#0', '#7'])
    const most = await run('return integer_within(a, -9007199254740991, 9007199254740991)', [
      [String(exact)],
      [String(exact + 1n)],
      [String(-exact - 1n)],
    ])
    assert.deepEqual(most, [`#${exact}`, 'false', 'false'])
  })
})

onOldestAndNewest('which entry is chosen', (bench) => {
  const choose = (kind: 'latest' | 'first', timeAt: number): string => `
    local sign = ${kind === 'latest' ? 1 : -1}
    local choice = { sign = sign, id_at = 1, time_at = ${timeAt}, loaded_from = 2, loaded_to = ${kind === 'first' ? 2 : 1} }
    return wins(choice, a, { b ~= '' and b, c ~= '' and c })`

  test('is the one whose id is greater, or smaller, and never the same again', async (t) => {
    const run = await luaCalls(t, bench())
    const calls = [
      ['5-0', '5-0', ''],
      ['5-0', '4-9', ''],
      ['5-0', '5-1', ''],
      ['10-0', '9-0', ''],
      ['5-10', '5-9', ''],
    ]
    const latest = await run(choose('latest', 0), calls)
    assert.deepEqual(latest, ['false', 'true', 'false', 'true', 'true'])
    const first = await run(choose('first', 0), calls)
    assert.deepEqual(first, ['false', 'false', 'true', 'false', 'false'])
  })

  test('is none by what is no id and no time', async (t) => {
    const run = await luaCalls(t, bench())
    const ids = ['x', '5', '5-', '-5', '5-0-0', `${'1'.repeat(40)}-0`]
    const wrong = await run(
      choose('latest', 0),
      ids.map((id) => ['5-0', id, '']),
    )
    assert.deepEqual(
      wrong,
      ids.map(() => ' not-an-id'),
    )
    const times = ['x', '5.0', '05', '-0', '1'.repeat(25)]
    const odd = await run(
      choose('latest', 2),
      times.map((time) => ['5-0', '4-0', time]),
    )
    assert.deepEqual(
      odd,
      times.map(() => ' not-an-integer'),
    )
  })

  test('heeds the time that a loaded hash claims for itself, and what is loaded without one', async (t) => {
    const run = await luaCalls(t, bench())
    const calls = [
      ['5-0', '', '5'],
      ['5-0', '', '4'],
      ['5-0', '', '6'],
      ['5-0', '', '-9'],
      ['5-0', '4-0', '6'],
    ]
    assert.deepEqual(await run(choose('latest', 2), calls), [
      'false',
      'true',
      'false',
      'true',
      'false',
    ])
    assert.deepEqual(
      await run(choose('first', 0), [
        ['5-0', '', 'loaded'],
        ['5-0', '', ''],
      ]),
      ['false', 'true'],
    )
  })
})
