/** The Lua that compares ids, makes keys and tells of texts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { luaCalls } from '../stage/lua-calls.ts'

onOldestAndNewest('texts', (bench) => {
  test('of ids are compared by their numbers', async (t) => {
    const run = await luaCalls(t, bench())
    const last = '18446744073709551615'
    const ids = ['0-0', '0-1', '0-9', '0-10', '1-0', '9-0', '10-0', `${last}-0`, `${last}-${last}`]
    const pairs = ids.flatMap((a, at) => ids.map((b, other) => [a, b, String(at < other)] as const))
    const found = await run('return is_before(a, b)', pairs)
    assert.deepEqual(
      found,
      pairs.map(([, , isBefore]) => isBefore),
    )
  })

  test('cannot leave their part of a key', async (t) => {
    const run = await luaCalls(t, bench())
    const texts = Array.from({ length: 127 }, (_, at) => String.fromCharCode(at + 1))
    const all = [...texts, 'a:b', 'é', '€', '😀', '%41']
    const found = await run(
      'return percent_encoded(a)',
      all.map((text) => [text]),
    )
    assert.deepEqual(found, all.map(encodeURIComponent))
  })

  test('are told in an error only while they are a number, and names of fields only while they are short', async (t) => {
    const run = await luaCalls(t, bench())
    const told = [
      '5',
      '-5',
      '007',
      '12345678901234567890',
      '123456789012345678901',
      'x5',
      '5\n',
      '',
    ]
    const found = await run(
      'return is_digits(a)',
      told.map((text) => [text]),
    )
    assert.deepEqual(found, [...told.map((_, at) => String(at < 4))])
    const missing = await run('return missing_text(a, b)', [
      [['"a"', '"b"'], 100],
      [['"a"', '"b"'], 10],
      [['"a"'], 1],
    ])
    const one = 'field "a" is missing'
    assert.deepEqual(missing, ['fields "a", "b" are missing', one, one])
  })

  test('are UTF-8 where a decoder that knows it says so, and hold no sign for bytes that are none', async (t) => {
    const run = await luaCalls(t, bench())
    const some = [0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf]
    const leads = [...some, 0xc0, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff]
    let all = [[], ...leads.map((lead) => [lead])]
    for (let length = 2; length <= 4; length += 1) {
      const longest = all.filter((bytes) => bytes.length === length - 1)
      all = [...all, ...longest.flatMap((bytes) => some.map((byte) => [...bytes, byte]))]
    }
    // An odd byte behind a character that is whole, and the sign itself.
    all.push([0xf0, 0x9f, 0x98, 0x80, 0x80], [0xc3, 0xa9, 0xc3], [0xef, 0xbf, 0xbd])
    const fromHex = "string.gsub(a, '%x%x', function(x) return string.char(tonumber(x, 16)) end)"
    const found = await run(
      `return is_utf8((${fromHex}))`,
      all.map((bytes) => [Buffer.from(bytes).toString('hex')]),
    )
    for (const [at, bytes] of all.entries()) {
      assert.equal(found[at], String(isText(bytes)), Buffer.from(bytes).toString('hex'))
    }
  })
})

function isText(bytes: readonly number[]): boolean {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    return !decoder.decode(Uint8Array.from(bytes)).includes('\uFFFD')
  } catch {
    return false
  }
}
