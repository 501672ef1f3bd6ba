/** Options of `connect`: what cannot be used is refused by name before anything connects, and no secret is told. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { connect, MillraceError, type ConnectOptions } from 'millrace'
import { shownUrl } from 'millrace/operate'
import { readAddress } from '../../src/redis/server-address.ts'

const url = 'redis://127.0.0.1:1'

/** Connects as JavaScript could. */
const failureOf = (options: unknown): Promise<unknown> =>
  connect(options as ConnectOptions).catch((error: unknown) => error)

const wrong: { options: unknown; says: RegExp }[] = [
  { options: undefined, says: /options are an object/ },
  { options: 'redis://s3cret@host', says: /options are an object/ },
  { options: {}, says: /url is missing/ },
  { options: { url: undefined }, says: /url is missing/ },
  { options: { url: '' }, says: /url is empty. Write it like redis:/ },
  { options: { url: ' ' }, says: /url is empty/ },
  { options: { url: 6379 }, says: /url is no text/ },
  {
    options: { client: { password: 's3cret' } },
    says: /option "client" is unknown: there are url/,
  },
  { options: { url, socket: {} }, says: /option "socket" is unknown/ },
  { options: { url, name: 'my app' }, says: /name is not .* without spaces/ },
  { options: { url, name: '' }, says: /name is not/ },
  { options: { url, onDisconnect: true }, says: /onDisconnect is no function/ },
  { options: { url, tls: {} }, says: /tls is given, and url does not begin with rediss:/ },
  { options: { url: 'rediss://127.0.0.1:1', tls: true }, says: /tls is no object/ },
  {
    options: { url: 'rediss://127.0.0.1:1', tls: { pfx: 's3cret' } },
    says: /option "tls.pfx" is unknown: there are ca, cert, key, servername/,
  },
  { options: { url: 'rediss://127.0.0.1:1', tls: { ca: 's3cret' } }, says: /tls.ca holds no cert/ },
  { options: { url: 'rediss://127.0.0.1:1', tls: { ca: [] } }, says: /tls.ca holds no cert/ },
  {
    options: { url: 'rediss://127.0.0.1:1', tls: { key: 's3cret' } },
    says: /tls.key is given without/,
  },
  { options: { url: 'rediss://127.0.0.1:1', tls: { servername: '' } }, says: /tls.servername/ },
  { options: { url, tlsNames: { ca: 'CA' } }, says: /tlsNames is no object with the names of ca/ },
  { options: { url, tlsNames: null }, says: /tlsNames is no object/ },
]

const wrongUrls: [url: string, says: RegExp][] = [
  ['127.0.0.1:6379', /begins with none of redis/],
  ['http://:s3cret@127.0.0.1', /begins with none of redis/],
  ['s3cret:pass@127.0.0.1', /begins with none of redis/],
  ['/run/redis.sock', /begins with none of redis/],
  ['redis:127.0.0.1', /begins with none of redis/],
  ['redis://', /names no host/],
  ['redis://:s3cret', /names no host/],
  ['redis:///s3cret.sock', /names no host/],
  ['redis://:s3cret@', /names no host/],
  ['redis://host/s3cret', /the path of url is no number of a database/],
  ['redis://host/1/2', /the path of url/],
  ['redis://:p@s/s3cret@host', /what follows the host in url holds an "@". Percent-encode/],
  ['redis://:p?s3cret@host', /holds an "@". Percent-encode/],
  ['redis://:p#s3cret@host', /holds an "@". Percent-encode/],
  ['redis://host#s3cret', /fragment/],
  ['redis://:100%s3cret@host', /the password in url holds a "%" that begins no escape. Percent/],
  ['redis://s3cret%:p@host', /the user in url holds a "%"/],
  ['redis://:s3 cret@host', /white space/],
  ['redis://host?db=2', /a query \("db"\), which is not used here. The database is its path/],
  ['redis://host?password=s3cret', /a query \("password"\)/],
  ['redis://host?s3cret', /a query, which is not used here/],
  ['redis://host:65536', /the port in url/],
  ['redis://host:0', /the port in url/],
  ['redis://host:s3cret', /the port in url/],
  ['redis://a:1,b:2', /the port in url/],
  ['redis://a,b', /the host in url/],
  ['redis://[::1', /the host in url/],
  ['redis://[s3cret]', /the host in url/],
  ['unix://run/redis.sock', /names a host before the path/],
  ['unix:///', /names no socket/],
  ['unix:///run/redis.sock?database=2', /a query \("database"\) that is not only "db"/],
  ['unix:///run/redis.sock?db=s3cret', /"db" of url is no number/],
]

for (const [bad, says] of wrongUrls) wrong.push({ options: { url: bad }, says })

for (const { options, says } of wrong) {
  test(`connect refuses ${inspect(options)}`, async () => {
    const error = await failureOf(options)
    assert.ok(error instanceof TypeError, String(error))
    assert.match(error.message, /^Cannot connect: /)
    assert.match(error.message, says)
    const all = inspect(error, { depth: Infinity, showHidden: true }) + JSON.stringify(error)
    assert.doesNotMatch(all.replace(/^.*connect refuses.*$/gm, ''), /s3 ?cret/)
  })
}

test('parts of TLS are called what the program calls them', async () => {
  const tlsNames = { ca: 'the CA', cert: 'CERT', key: 'KEY', servername: 'NAME' }
  const cases: readonly [tls: object, says: string][] = [
    [{ ca: 'no' }, 'the CA holds no certificate in PEM form ("-----BEGIN ...")'],
    [{ key: 'no' }, 'KEY is given without CERT. Give both'],
    [{ servername: '' }, 'NAME is no name of a server'],
  ]
  for (const [tls, says] of cases) {
    const error = await failureOf({ url: 'rediss://127.0.0.1:1', tls, tlsNames })
    assert.ok(error instanceof TypeError)
    assert.equal(error.message, `Cannot connect: ${says}`)
  }
})

test('neither password nor token is in an error of connect', async () => {
  for (const user of ['s3cret@', ':s3cret@', 'ada:s3cret@', 's3cret:@']) {
    const error = await failureOf({ url: `redis://${user}127.0.0.1:1` })
    assert.ok(error instanceof MillraceError && error.code === 'UNREACHABLE')
    assert.match(error.message, /\*\*\*@127\.0\.0\.1:1: .*Is the server running\?/)
    assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /s3cret/)
  }
})

test('a URL is shown without its secrets', () => {
  const shown: [string, string][] = [
    ['redis://host', 'redis://host'],
    ['redis://token@host:1/2', 'redis://***@host:1/2'],
    ['redis://:pw@host', 'redis://:***@host'],
    ['rediss://ada:p%40w@host', 'rediss://ada:***@host'],
    ['unix://ada:pw@/run/redis.sock?db=3', 'unix://ada:***@/run/redis.sock?db=3'],
  ]
  for (const [url, expected] of shown) assert.equal(shownUrl(url), expected)
})

test('a URL says place, user, password and database', () => {
  const { shown, ...full } = readAddress(' redis://a%40da:p%2F%3A:w@h@st:7/02\n')
  assert.equal(shown, 'redis://a%40da:***@st:7/02')
  assert.deepEqual(full, {
    place: { kind: 'tcp', host: 'st', port: 7 },
    username: 'a@da',
    password: 'p/::w@h',
    database: 2,
  })
  const v6 = readAddress('rediss://[2001:db8::1]:6380/')
  assert.deepEqual(v6.place, { kind: 'tls', host: '2001:db8::1', port: 6380 })
  assert.equal(v6.database, 0)
  const socket = readAddress('unix://:pw@/run/my%20redis.sock?db=3')
  assert.deepEqual(socket.place, { kind: 'unix', path: '/run/my redis.sock' })
  assert.deepEqual([socket.password, socket.database], ['pw', 3])
})
