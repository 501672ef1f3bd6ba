/**
 * Makes the sample data of the service. Promise: the same text at every run and on every machine, since nothing here
 * asks for the time or for chance, and the arithmetic is on integers and plain fractions.
 */
import { en, en_GB, es, Faker, fr, it, nl, pl, pt_BR, pt_PT } from '@faker-js/faker'
import { categories, quarters, things, type Category } from './lisbon.ts'

interface User {
  readonly id: number
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  numCheckins: number
  lastCheckin: number
  lastSeenAt: number
}

interface Location {
  readonly id: number
  readonly name: string
  readonly category: string
  readonly location: string
  readonly numCheckins: number
  readonly numStars: number
  readonly averageStars: number
}

interface Checkin {
  readonly id: string
  readonly userId: number
  readonly locationId: number
  readonly starRating: number
}

const usersCount = 1000
const locationsCount = 210
const checkinsCount = 5000

const seed = 20250301
const dayMs = 86_400_000
const hourMs = 3_600_000
/** The first check-in comes after this moment. A Saturday. */
const startMs = Date.UTC(2025, 2, 1)
const days = 61

// How busy the hours of a day are, from midnight on, and the days of a week, from Saturday on.
const hourWeights = [
  2, 1, 1, 0, 0, 1, 3, 8, 14, 12, 10, 12, 20, 22, 12, 9, 10, 14, 20, 24, 26, 22, 14, 6,
]
const dayWeights = [15, 12, 7, 7, 8, 9, 13]
// One user in so many was seen somewhere else, later than some of the check-ins say.
const seenLaterEvery = 50

const faker = new Faker({ locale: [pt_PT, en] })
const visitors = [pt_BR, en_GB, es, fr, it, nl, pl].map(
  (locale) => new Faker({ locale: [locale, en] }),
)

/** The texts of the three files, by file name; one record a line. */
export function sampleData(): ReadonlyMap<string, string> {
  for (const source of [faker, ...visitors]) source.seed(seed)
  const userPull = pull(usersCount)
  const locationPull = pull(locationsCount)
  const names = new Set<string>()
  const emails = new Set<string>()
  const locations = Array.from(locationPull, (weight, at) => location(at + 1, weight, names))
  const users = Array.from(userPull, (weight, at) => user(at + 1, weight, emails))
  const checkins = makeCheckins(userPull, locationPull, locations)
  seeSomeLater(users, checkins)
  return new Map([
    ['users.json', asText('users', users)],
    ['locations.json', asText('locations', locations)],
    ['checkins.json', asText('checkins', checkins)],
  ])
}

function asText(name: string, records: readonly object[]): string {
  const lines = records.map((record) => JSON.stringify(record))
  return `{"${name}":[\n${lines.join(',\n')}\n]}\n`
}

/** How much each of `count` attracts: a few much, many little, in no order. */
function pull(count: number): readonly number[] {
  const weights = Array.from({ length: count }, (_, rank) => 1 / (rank + count / 12))
  return faker.helpers.shuffle(weights)
}

/** Draws indexes, each as often as its weight says. */
function drawFrom(weights: readonly number[]): () => number {
  let total = 0
  const sums = weights.map((weight) => (total += weight))
  return () => {
    const at = faker.number.float({ min: 0, max: total })
    const found = sums.findIndex((sum) => at < sum)
    return found === -1 ? weights.length - 1 : found
  }
}

function user(id: number, weight: number, emails: Set<string>): User {
  const source = faker.datatype.boolean(0.6) ? faker : faker.helpers.arrayElement(visitors)
  const firstName = source.person.firstName()
  const lastName = source.person.lastName()
  return {
    id,
    firstName,
    lastName,
    email: email(firstName, lastName, emails),
    numCheckins: 3 + Math.floor(weight * 4000 * faker.number.float({ min: 1, max: 4 })),
    lastCheckin: startMs - faker.number.int({ min: hourMs, max: 700 * dayMs }),
    lastSeenAt: faker.number.int({ min: 1, max: locationsCount }),
  }
}

/** An address that is not taken yet, and takes it; `example.com` belongs to nobody (RFC 2606). */
function email(firstName: string, lastName: string, taken: Set<string>): string {
  const name = `${plain(firstName)}.${plain(lastName)}`
  for (let copy = 1; ; copy += 1) {
    const address = `${name}${copy === 1 ? '' : copy}@example.com`
    if (taken.has(address)) continue
    taken.add(address)
    return address
  }
}

/** Small letters without accents; the barred l is the one letter here that has none to take off. */
function plain(text: string): string {
  const letters = text.replaceAll('ł', 'l').replaceAll('Ł', 'L').normalize('NFD')
  return faker.helpers.slugify(letters.replaceAll(/[^A-Za-z -]/g, '')).toLowerCase()
}

function location(id: number, weight: number, names: Set<string>): Location {
  const quarter = faker.helpers.arrayElement(quarters)
  const category = faker.helpers.arrayElement(categories)
  const near = (middle: number): string =>
    (middle + faker.number.float({ min: -quarter.reach, max: quarter.reach })).toFixed(6)
  const numCheckins = 20 + Math.floor(weight * 2500 * faker.number.float({ min: 1, max: 4 }))
  const numStars = Math.floor(numCheckins * faker.number.float({ min: 1.2, max: 4.9 }))
  return {
    id,
    name: placeName(category, quarter.name, names),
    category: category.name,
    location: `${near(quarter.longitude)},${near(quarter.latitude)}`,
    numCheckins,
    numStars,
    averageStars: Math.floor((2 * numStars + numCheckins) / (2 * numCheckins)),
  }
}

/** A name that is not taken yet, and takes it. */
function placeName(category: Category, quarter: string, taken: Set<string>): string {
  for (;;) {
    const name = faker.helpers
      .arrayElement(category.patterns)
      .replace('{quarter}', quarter)
      .replace('{thing}', faker.helpers.arrayElement(things))
      .replace('{surname}', faker.person.lastName('generic'))
      .replace('{givenName}', faker.person.firstName())
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

function makeCheckins(
  userPull: readonly number[],
  locationPull: readonly number[],
  locations: readonly Location[],
): Checkin[] {
  const drawUser = drawFrom(userPull)
  const drawLocation = drawFrom(locationPull)
  return ids().map((id) => {
    const locationId = drawLocation() + 1
    return { id, userId: drawUser() + 1, locationId, starRating: stars(locations[locationId - 1]) }
  })
}

/** Stars around what the place is worth, 0 to 5. */
function stars(place: Location | undefined): number {
  const usual = place?.averageStars ?? 3
  return Math.max(0, Math.min(5, usual + faker.helpers.arrayElement([-2, -1, 0, 0, 0, 1, 1])))
}

/** Entry ids in stream order. */
function ids(): string[] {
  const drawDay = drawFrom(Array.from({ length: days }, (_, day) => dayWeights[day % 7] ?? 0))
  const drawHour = drawFrom(hourWeights)
  const times = Array.from(
    { length: checkinsCount },
    () => startMs + drawDay() * dayMs + drawHour() * hourMs + faker.number.int({ max: hourMs - 1 }),
  ).sort((a, b) => a - b)
  let sequence = 0
  return times.map((time, at) => {
    sequence = time === times[at - 1] ? sequence + 1 : 0
    return `${time}-${sequence}`
  })
}

/** Lets some users start with a `lastCheckin` amid their check-ins: the older ones must not overwrite it. */
function seeSomeLater(users: readonly User[], checkins: readonly Checkin[]): void {
  for (const [at, user] of users.entries()) {
    if (at % seenLaterEvery !== 0) continue
    const own = checkins.filter((checkin) => checkin.userId === user.id)
    const middle = own[Math.floor(own.length / 2)]
    if (middle === undefined) continue
    user.lastCheckin = Number.parseInt(middle.id, 10) + hourMs
  }
}
