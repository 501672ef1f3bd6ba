import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { checkinModel } from '../../src/domain/checkins.ts'
import { CommandError } from 'millrace-ops/command'
import { readDataFolder, type LoadedData } from '../../src/loader/data-folder.ts'

type Files = Readonly<Record<string, string | Buffer>>

const good: Files = {
  'users.json':
    '{"users":[\n{"id":1,"numCheckins":2,"lastCheckin":1700000000000,"lastSeenAt":3},\n' +
    '{"id":2,"numCheckins":0,"lastCheckin":0,"lastSeenAt":1}\n]}',
  'locations.json':
    '{"locations":[\n{"id":1,"name":"Bar","numCheckins":2,"numStars":9,"averageStars":5}\n]}',
  'checkins.json':
    '{"checkins":[\n{"id":"5-0","userId":1,"locationId":1,"starRating":0},\n' +
    '{"id":"5-1","userId":2,"locationId":1,"starRating":5}\n]}',
}

async function read(t: TestContext, files: Files): Promise<LoadedData> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-data-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return await readDataFolder(folder, checkinModel('ncc'))
}

function without(name: string): Files {
  return Object.fromEntries(Object.entries(good).filter(([file]) => file !== name))
}

test('data folder is read with all its fields', async (t) => {
  const { users, checkins } = await read(t, good)
  assert.deepEqual(users[1], { id: 2, numCheckins: 0, lastCheckin: 0, lastSeenAt: 1 })
  assert.deepEqual(
    checkins.map(({ id }) => id),
    ['5-0', '5-1'],
  )
})

test('data folder may begin its files with a byte order mark', async (t) => {
  const { users } = await read(t, { ...good, 'users.json': `\uFEFF${String(good['users.json'])}` })
  assert.equal(users.length, 2)
})

for (const missing of Object.keys(good)) {
  test(`data folder without ${missing} is refused by name`, async (t) => {
    await assert.rejects(read(t, without(missing)), (error) => {
      assert.ok(error instanceof CommandError)
      assert.match(
        error.message,
        new RegExp(`^Cannot load ".*/${missing}": there is no such file\\.`),
      )
      assert.match(error.message, /A data folder holds users.json.* Nothing was loaded$/)
      return true
    })
  })
}

test('data folder that is no folder is refused', async () => {
  const file = new URL(import.meta.url).pathname
  await assert.rejects(readDataFolder(file, checkinModel('ncc')), /there is no such file/)
})

const user = (text: string) => ({ 'users.json': `{"users":[\n${text}\n]}` })
const location = (text: string) => ({ 'locations.json': `{"locations":[\n${text}\n]}` })
const checkins = (text: string) => ({ 'checkins.json': `{"checkins":[\n${text}\n]}` })
const plainUser = '"numCheckins":2,"lastCheckin":1,"lastSeenAt":3'
const checkinWith = (id: string) => `{"id":${id},"userId":1,"locationId":1,"starRating":0}`

const wrongFiles: readonly [what: string, files: Files, message: RegExp][] = [
  [
    'a file that ends early',
    { 'users.json': '{"users":[\n{"id":1,' },
    /users.json": line 2, column 9: expected the name of a field, in "\. Nothing was loaded$/,
  ],
  [
    'a comma too many',
    { 'checkins.json': '{"checkins":[\n{"id":"5-0"},\n]}' },
    /checkins.json": line 3, column 1: expected a value/,
  ],
  ['an empty file', { 'users.json': '' }, /line 1, column 1: expected a value/],
  [
    'a line end in a text',
    user('{"id":1,"name":"a\nb"}'),
    /line 2, column 18: expected the " that ends the text/,
  ],
  ['text after the end', { 'users.json': '{"users":[]}\nx' }, /line 2, column 1: expected the end/],
  [
    'a file in Latin-1',
    { 'users.json': Buffer.from('{"users":["é"]}', 'latin1') },
    /no UTF-8 text/,
  ],
  [
    'a list without its object',
    { 'users.json': '[]' },
    /expected an object with a list: { "users"/,
  ],
  [
    'an object without its list',
    { 'users.json': '{"people":[]}' },
    /a list: { "users": \[ ... \] }/,
  ],
  ['a list that is none', { 'users.json': '{"users":{}}' }, /a list: { "users": \[ ... \] }/],
  ['nothing but null', { 'users.json': 'null' }, /a list: { "users": \[ ... \] }/],
  [
    'a record that is a number',
    user('7'),
    /line 2, record 1 of "users": it is 7; expected an object/,
  ],
  ['a record that is a list', user('[]'), /it is \[\]; expected an object/],
  [
    'a missing field in the second record',
    user(`{"id":1,${plainUser}},\n\n{"id":2,"numCheckins":2,"lastSeenAt":3}`),
    /line 4, record 2 of "users": field "lastCheckin" is missing; expected an integer of at least 0/,
  ],
  [
    'an id as text',
    user(`{"id":"1",${plainUser}}`),
    /field "id" is "1"; expected an integer of at least 1\. Nothing/,
  ],
  [
    'an id of zero',
    user(`{"id":0,${plainUser}}`),
    /field "id" is 0; expected an integer of at least 1\./,
  ],
  [
    'an id that stands twice',
    user(`{"id":1,${plainUser}},\n{"id":1,${plainUser}}`),
    /line 3, record 2 of "users": field "id" is 1; expected an id that stands once in the file/,
  ],
  [
    'a count that is no integer',
    location('{"id":1,"numCheckins":1.5,"numStars":0,"averageStars":0}'),
    /locations.json": line 2, .*field "numCheckins" is 1.5; expected an integer of at least 0/,
  ],
  [
    'a count below zero',
    location('{"id":1,"numCheckins":1,"numStars":-1,"averageStars":0}'),
    /field "numStars" is -1; expected an integer of at least 0/,
  ],
  [
    'a field that holds a list',
    user(`{"id":1,${plainUser},"tags":["a"]}`),
    /field "tags" is \["a"\]; expected a text, a number, true or false/,
  ],
  [
    'a field that holds null',
    user(`{"id":1,${plainUser},"tag":null}`),
    /field "tag" is null; expected a/,
  ],
  [
    'half of a surrogate pair',
    user(`{"id":1,${plainUser},"name":"\\ud800"}`),
    /field "name" is "\\ud800"; expected a text/,
  ],
  [
    'a number that JavaScript would change',
    user(`{"id":1,${plainUser},"phone":12345678901234567890}`),
    /field "phone" is .*; expected a number up to 2\^53 - 1; write a larger one as text/,
  ],
  [
    'a number beyond all',
    user(`{"id":1,${plainUser},"x":1e999}`),
    /field "x" .* write a larger one/,
  ],
  [
    "a field of the engine's own",
    user(`{"id":1,${plainUser},"@latest":"1-0"}`),
    /kept for Millrace/,
  ],
  [
    'more stars than there are',
    checkins('{"id":"5-0","userId":1,"locationId":1,"starRating":6}'),
    /field "starRating" is 6; expected an integer from 0 to 5/,
  ],
  [
    'a check-in of nobody',
    checkins('{"id":"5-0","userId":0,"locationId":1,"starRating":5}'),
    /field "userId" is 0; expected an integer of at least 1/,
  ],
  [
    'an entry id without its sequence',
    checkins(checkinWith('"5"')),
    /field "id" is "5"; expected an entry id/,
  ],
  [
    'an entry id that is a number',
    checkins(checkinWith('5')),
    /field "id" is 5; expected an entry id/,
  ],
  ['an entry id with leading zeros', checkins(checkinWith('"05-0"')), /expected an entry id/],
  ['an entry id too large', checkins(checkinWith('"9007199254740992-0"')), /expected an entry id/],
  [
    'a check-in without id',
    checkins('{"userId":1,"locationId":1,"starRating":0}'),
    /"id" is missing/,
  ],
  [
    'the entry id that Redis does not take',
    checkins(checkinWith('"0-0"')),
    /expected an id after 0-0/,
  ],
  [
    'an entry id that stands twice',
    checkins(`${checkinWith('"5-1"')},\n${checkinWith('"5-1"')}`),
    /line 3, record 2 of "checkins": field "id" is "5-1"; expected an id after 5-1/,
  ],
  [
    'entry ids that go back',
    checkins(`${checkinWith('"5-1"')},\n${checkinWith('"5-0"')}`),
    /field "id" is "5-0"; expected an id after 5-1/,
  ],
  [
    'entry ids that are in order only as text',
    checkins(`${checkinWith('"10-0"')},\n${checkinWith('"9-0"')}`),
    /field "id" is "9-0"; expected an id after 10-0/,
  ],
]

for (const [what, files, message] of wrongFiles) {
  test(`data folder with ${what} is refused, with the place`, async (t) => {
    await assert.rejects(read(t, { ...good, ...files }), (error) => {
      assert.ok(error instanceof CommandError)
      assert.match(error.message, message)
      assert.match(error.message, /^Cannot load "/)
      assert.match(error.message, /Nothing was loaded$/)
      return true
    })
  })
}
