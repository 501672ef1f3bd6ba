/** Declarations: what is refused at once, what decodes, and which keys come out. No server is needed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { average, count, entryTime, integer, latest, projection, stream, sum, text } from 'millrace'
import { checkConsumerGiven } from '../../src/consume/given-options.ts'
import { checkReaderGiven } from '../../src/reader/reader-options.ts'
import { planOf } from '../../src/declare/plan.ts'
import { tooOldVersion } from '../../src/redis/server-info.ts'
import { Decoder, encodeEntry, isDecodeFailure } from '../../src/declare/stream.ts'

const visits = stream('visits', { guest: text(), room: integer(1, 99) })

test('stream refuses an empty key, no fields and nameless fields', () => {
  assert.throws(() => stream('', { a: text() }), TypeError)
  assert.throws(() => stream('s', {}), TypeError)
  assert.throws(() => stream('s', { '': text() }), TypeError)
})

test('integer refuses bounds that are swapped or not exact', () => {
  assert.throws(() => integer(2, 1), RangeError)
  assert.throws(() => integer(0.5), RangeError)
  assert.throws(() => integer(0, 2 ** 53), RangeError)
})

test('append refuses a wrong value, and says of which field and what it is', () => {
  const encode = (guest: unknown, room: unknown) => () =>
    encodeEntry(visits, { guest, room } as { guest: string; room: number })
  const message = (what: string) => ({ message: `Cannot append: field ${what}` })
  for (const [room, is] of [
    ['1', 'a text'],
    [1.5, '1.5'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [true, 'true'],
    [null, 'null'],
    [3n, '3n'],
    [[1], 'a list'],
    [2 ** 53, '9007199254740992'],
  ] as const) {
    const problem = message(`"room" must be an integer from 1 to 99, is ${is}`)
    assert.throws(encode('ada', room), { name: 'TypeError', ...problem })
  }
  for (const room of [0, 100]) {
    const problem = message(`"room" must be an integer from 1 to 99, is ${room}`)
    assert.throws(encode('ada', room), { name: 'RangeError', ...problem })
  }
  for (const [guest, is] of [
    [1, '1'],
    [null, 'null'],
    [{}, 'an object'],
  ] as const) {
    assert.throws(encode(guest, 1), message(`"guest" must be well-formed text, is ${is}`))
  }
  assert.throws(encode('\ud800', 1), /"guest" must be well-formed text: it holds half a surrogate/)
  assert.throws(encode(undefined, 1), message('"guest" is missing: it must be well-formed text'))
  const missing = message('"room" is missing: it must be an integer from 1 to 99')
  assert.throws(encode('ada', undefined), { name: 'TypeError', ...missing })
  assert.deepEqual(encode('ada 🎡', 7)(), ['guest', 'ada 🎡', 'room', '7'])
})

test('append tells bounds as they are declared', () => {
  for (const [field, value, expected] of [
    [integer(1), 0, 'an integer of at least 1, is 0'],
    [integer(undefined, 5), 6, 'an integer of at most 5, is 6'],
    [integer(), 0.5, 'an integer, is 0.5'],
  ] as const) {
    const encode = () => encodeEntry(stream('s', { n: field }), { n: value })
    assert.throws(encode, { message: `Cannot append: field "n" must be ${expected}` })
  }
})

test('append puts extra fields after the declared ones, and refuses one that is declared', () => {
  const values = { guest: 'ada', room: 1 }
  const args = encodeEntry(visits, values, { traceparent: '00-1-2-01', empty: '' })
  assert.deepEqual(args, ['guest', 'ada', 'room', '1', 'traceparent', '00-1-2-01', 'empty', ''])
  const decoded = new Decoder(visits).decode('1-0', args)
  assert.ok(!isDecodeFailure(decoded))
  assert.deepEqual(decoded.unknown, [
    ['traceparent', '00-1-2-01'],
    ['empty', ''],
  ])
  assert.throws(() => encodeEntry(visits, values, { room: '2' }), /extra field "room"/)
  const more = { ...values, note: 'late' }
  assert.throws(() => encodeEntry(visits, more), /field "note": stream "[^"]+" does not declare it/)
  assert.equal(
    encodeEntry(visits, { ...values, note: undefined } as typeof values).length,
    args.length - 4,
  )
})

test('decode keeps fields that it does not know, __proto__ too', () => {
  const flat = ['__proto__', 'x', 'room', '7', 'toString', 'y', 'guest', '']
  const entry = new Decoder(visits).decode('1-0', flat)
  assert.ok(!isDecodeFailure(entry))
  assert.deepEqual({ ...entry.values }, { room: 7, guest: '' })
  assert.deepEqual(entry.unknown, [
    ['__proto__', 'x'],
    ['toString', 'y'],
  ])
})

test('append refuses the replacement character, which decode takes for lost bytes', () => {
  assert.throws(() => encodeEntry(visits, { guest: 'a\uFFFD', room: 1 }), TypeError)
})

test('decode returns what was encoded, and accepts no other spelling of an integer', () => {
  const numbers = stream('numbers', { value: integer(), name: text() })
  const decoder = new Decoder(numbers)
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.string({ unit: 'binary' }), (value, name) => {
      fc.pre(!/[\p{Surrogate}\uFFFD]/u.test(name))
      const entry = decoder.decode('1-0', encodeEntry(numbers, { value, name }))
      const expected = { value: value === 0 ? 0 : value, name }
      return !isDecodeFailure(entry) && JSON.stringify(entry.values) === JSON.stringify(expected)
    }),
    { numRuns: 500 },
  )
  for (const raw of ['', ' 1', '+1', '01', '1.0', '1e3', '-0', '0x1', '9007199254740992', 'NaN']) {
    assert.ok(isDecodeFailure(decoder.decode('1-0', ['value', raw, 'name', ''])), raw)
  }
})

test('projection refuses what cannot be folded', () => {
  assert.throws(() => projection('', { n: count() }), TypeError)
  assert.throws(() => projection('k', {}), TypeError)
  assert.throws(() => projection('k', { '@latest': count() }), /is not a name/)
  assert.throws(() => projection('k', { a: average('b', 'c') }), /no count or sum/)
  const broken = { n: count(), l: latest('room'), a: average('n', 'l') }
  assert.throws(() => projection('k', broken), /no count or sum/)
})

test('projection is refused by a stream that lacks its fields', () => {
  assert.throws(() => planOf(projection('k:{who}', { n: count() }), visits), /no field "who"/)
  assert.throws(() => planOf(projection('k', { n: sum('cost') }), visits), /no field "cost"/)
  assert.throws(() => planOf(projection('k', { n: sum('guest') }), visits), /which is text/)
})

test('key template keeps integers, encodes text, and undoubles braces', () => {
  const keyOf = (template: string) =>
    planOf(projection(template, { n: count() }), visits).keyOf({ guest: 'a:{b}/é', room: 7 })
  assert.equal(keyOf('guests:{guest}:{room}'), 'guests:a%3A%7Bb%7D%2F%C3%A9:7')
  assert.equal(keyOf('{{tag}}:{room}'), '{tag}:7')
  assert.equal(keyOf('all'), 'all')
})

test('key template gives two texts two keys', () => {
  const { keyOf } = planOf(projection('{guest}:{guest}', { n: count() }), visits)
  const guests = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(guests, guests, (a, b) => {
      return a === b || keyOf({ guest: a, room: 1 }) !== keyOf({ guest: b, room: 1 })
    }),
    { numRuns: 500 },
  )
})

test('a server before 7.0 is too old, and Valkey is not', () => {
  assert.equal(tooOldVersion('# Server\r\nredis_version:6.2.14\r\nredis_mode:standalone'), '6.2.14')
  assert.equal(tooOldVersion('redis_version:7.0.15\r\n'), undefined)
  assert.equal(tooOldVersion('redis_version:10.1.0\r\n'), undefined)
  assert.equal(tooOldVersion('redis_version:7.2.4\r\nserver_name:valkey'), undefined)
})

test('what cannot be meant is refused where it is declared', () => {
  const loosely = projection as unknown as (...given: unknown[]) => unknown
  const n = { n: count() }
  const cases: [unknown[], RegExp][] = [
    [['p:{page', n], /"p:\{page": a brace in its key is without its other half/],
    [['p:page}', n], /without its other half/],
    [['p:{}', n], /without its other half/],
    [['p:{{page}', n], /without its other half/],
    [[undefined, n], /its key is no text/],
    [
      ['p:{page}', { n: count }],
      /field "n" is the function count, not an operator\. Call one: count\(\)/,
    ],
    [['p:{page}', { n: 'count' }], /field "n" is the text "count", not an operator/],
    [['p:{page}', { n: { kind: 'median' } }], /field "n" is an object of another kind/],
    [['p:{page}', { n: sum }], /the function sum/],
    [
      ['p:{page}', { n: { kind: 'sum' } }],
      /field "n" reads nothing\. Give sum\(\) the name of a field/,
    ],
    [
      ['p:{page}', { n: latest(entryTime as never) }],
      /reads the function entryTime\. .*or entryTime\(\)/,
    ],
    [
      ['p:{page}', n, { ranking: {} }],
      /option "ranking" is unknown: did you mean "rankings"\? There are rankings/,
    ],
    [['p:{page}', n, 'rankings'], /its options are an object/],
    [
      ['p:{page}', n, { rankings: { n: 'top:{page}' } }],
      /"top:\{page\}" of the ranking by "n" has braces/,
    ],
    [['{{a}}:p:{page}', n, { rankings: { n: '{b}:top' } }], /has braces/],
  ]
  for (const [given, message] of cases) {
    assert.throws(() => loosely(...given), { name: 'TypeError', message })
  }
  const tagged = projection('{{a}}:p:{page}', n, { rankings: { n: '{a}:top' } })
  assert.deepEqual(tagged.rankings, { n: '{a}:top' })
  assert.throws(
    () => stream('s', { page: integer as never }),
    /is the function integer, not a field\. Call integer\(\)/,
  )
  assert.throws(() => stream('s', { page: 'integer' as never }), /is the text "integer"/)
})

test('what a consumer or a reader cannot be given is refused when it is made', () => {
  const page = projection('p:{guest}', { n: count() })
  const consumer = (options: object) => () =>
    checkConsumerGiven({ projections: [page], ...options })
  const cases: [object, RegExp][] = [
    [
      { concurency: 3 },
      /option "concurency" is unknown: did you mean "concurrency"\? There are projections, handler/,
    ],
    [{ handler: 'x' }, /handler is no function/],
    [{ orderBy: 'guest' }, /orderBy is no function/],
    [{ mode: 'pushdown' }, /mode is auto, pull or push-down, not pushdown/],
    [{ drain: 'yes' }, /drain is true or false/],
    [{ projections: page }, /projections is no list/],
    [{ projections: [undefined] }, /projections is no list/],
    [{ observer: { applied: true } }, /observer\.applied is no function/],
    [{ observer: 'x' }, /observer is no object/],
    [
      { observer: { aplied: () => undefined } },
      /option "observer\.aplied" is unknown: did you mean "observer\.applied"\? There are started, delivered,/,
    ],
    [{ observer: { log: () => undefined } }, /option "observer\.log" is unknown: there are/],
  ]
  for (const [options, message] of cases) {
    assert.throws(consumer(options), { name: 'TypeError', message })
  }
  assert.doesNotThrow(consumer({ handler: () => undefined, observer: { mine: 1 } }))
  class Counter {
    readonly log = () => undefined
    count() {
      this.log()
    }
  }
  assert.doesNotThrow(consumer({ observer: new Counter() }))
  const reader = { name: 'alone', positionKey: 'p', projections: [page] }
  assert.doesNotThrow(() => checkReaderGiven(reader))
  assert.throws(() => checkReaderGiven({ ...reader, positionkey: 'p' }), /"positionkey" is unknown/)
  const observer = { retried: () => undefined }
  assert.throws(() => checkReaderGiven({ ...reader, observer }), /"observer.retried" is unknown/)
  assert.throws(() => checkReaderGiven({ ...reader, name: undefined }), /name is missing/)
  assert.throws(() => checkReaderGiven({ ...reader, projections: undefined }), /no list/)
})
