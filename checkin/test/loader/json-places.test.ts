import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findFlaw, placeOfRecord } from '../../src/loader/json-places.ts'

test('place of a flaw is found exactly in the text that JSON.parse refuses', () => {
  const cut = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', '\n', '\\', '0', 'x', '\t'))
    .map(([text, at, sign]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + sign + text.slice(place + 1)
    })
  fc.assert(
    fc.property(cut, (text) => {
      assert.equal(findFlaw(text) === undefined, isJson(text), JSON.stringify(text))
    }),
    { numRuns: 2000 },
  )
})

test('the usual flaws are told by what should stand there', () => {
  const cases: [text: string, column: number, expected: RegExp][] = [
    ['{name: 1}', 2, /^the name of a field, in "$/],
    ["{'name': 1}", 2, /^the name of a field, in "$/],
    ['[NaN]', 2, /^a value/],
    ['[1, 2,]', 7, /^a value/],
    ['{"a" 1}', 6, /^":" after/],
    ['["a\\x"]', 4, /^the " that ends the text/],
  ]
  for (const [text, column, expected] of cases) {
    const flaw = findFlaw(text)
    assert.deepEqual(flaw?.place, { line: 1, column }, text)
    assert.match(flaw.expected, expected, text)
  }
})

test('place of a record is found for any records', () => {
  const arrayOfRecords = fc.array(fc.jsonValue(), { minLength: 1 })
  fc.assert(
    fc.property(arrayOfRecords, fc.nat(), fc.jsonValue(), (records, pick, other) => {
      const index = pick % records.length
      const lines = records.map((record) => JSON.stringify(record))
      const text = `{"other":${JSON.stringify({ list: [other] })},"list":[\n${lines.join(',\n')}\n]}`
      assert.deepEqual(placeOfRecord(text, 'list', index), { line: index + 2, column: 1 })
    }),
    { numRuns: 500 },
  )
})

test('deeply nested text is refused, not an overflow', () => {
  assert.match(findFlaw('['.repeat(100_000))?.expected ?? '', /nested brackets/)
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
