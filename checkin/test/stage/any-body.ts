/** Bodies for property tests, and what is to become of them. */
import fc from 'fast-check'

/** The fields of the entry that a body becomes, undefined when it is to be refused. */
export function expectedFields(body: string): string[] | undefined {
  try {
    return fieldsOf(JSON.parse(body))
  } catch {
    return undefined
  }
}

/** The rule once more, written without a look at the receiver. */
export function fieldsOf(value: unknown): string[] | undefined {
  const parsed = value as Record<string, unknown> | null | undefined
  const integer = (name: string, least: number, most: number): string | undefined => {
    const value = parsed?.[name]
    const isFine = Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    return isFine ? BigInt(Number(value)).toString() : undefined
  }
  const userId = integer('userId', 1, 2 ** 53 - 1)
  const locationId = integer('locationId', 1, 2 ** 53 - 1)
  const starRating = integer('starRating', 0, 5)
  if (userId === undefined || locationId === undefined || starRating === undefined) return undefined
  return ['locationId', locationId, 'userId', userId, 'starRating', starRating]
}

const spellings = ['1e400', '-1e400', '-0', '0', '1.0', '1e0', '5', '6', '01', '+1', '0x1', 'NaN']
const deep = '['.repeat(3000) + ']'.repeat(3000)
const wrong = [
  deep,
  '"\\ud800"',
  '"5"',
  'true',
  'null',
  '[1]',
  '{}',
  '""',
  '9007199254740991',
  '9007199254740992',
]
const anyValue = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 5 }).map(String), weight: 12 },
  { arbitrary: fc.constantFrom(...spellings, ...wrong), weight: 2 },
  { arbitrary: fc.json({ maxDepth: 3 }), weight: 1 },
  { arbitrary: fc.double().map(String), weight: 1 },
)
const anyName = fc.oneof(
  { arbitrary: fc.constantFrom('userId', 'locationId', 'starRating'), weight: 3 },
  { arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', 'userId '), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary' }), weight: 1 },
)
const member = (name: string): fc.Arbitrary<string> =>
  anyValue.map((value) => `${JSON.stringify(name)}:${value}`)
const objectText = fc
  .tuple(
    member('userId'),
    member('locationId'),
    member('starRating'),
    fc.array(anyName.chain(member), { maxLength: 2 }),
  )
  .chain(([user, location, stars, more]) =>
    fc.shuffledSubarray([user, location, stars, ...more], { minLength: 2 + more.length }),
  )
  .map((members) => `{${members.join(',')}}`)
/** Texts that are check-ins, nearly so, JSON of any kind, or nothing of the kind. */
export const anyBody: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: objectText, weight: 8 },
  { arbitrary: fc.json(), weight: 1 },
  { arbitrary: fc.string({ unit: 'binary' }), weight: 1 },
)
