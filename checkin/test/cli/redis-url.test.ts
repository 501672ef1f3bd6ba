/** REDIS_URL and REDIS_TLS_...: what is wrong is wrong usage and holds no secret; sockets and TLS work. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { MillraceError, type Millrace } from 'millrace'
import { makeCertificates, whyNoCertificates } from '../../../testing/certificates.ts'
import { freePort, startRedis } from '../../../testing/redis-servers.ts'
import { readConfig } from '../../src/config.ts'
import { UsageError } from 'millrace-ops/command'
import { wire } from '../../src/wiring.ts'

/** Connects as every command does. */
const connectWith = async (env: Record<string, string>): Promise<Millrace> =>
  await wire(readConfig(env, false)).connect()

const failureOf = (env: Record<string, string>): Promise<unknown> =>
  connectWith(env).catch((error: unknown) => error)

const wrong: [env: Record<string, string>, says: RegExp][] = [
  [
    { REDIS_URL: 'redis://:s3cret/1@host' },
    /Cannot use REDIS_URL: .* holds an "@". Percent-encode/,
  ],
  [{ REDIS_URL: 'redis://:s3cret%@host' }, /Cannot use REDIS_URL: the password in url holds a "%"/],
  [{ REDIS_URL: 'redis://host?db=2' }, /Cannot use REDIS_URL: url has a query \("db"\)/],
  [{ REDIS_TLS_CA: '/ca.pem' }, /REDIS_TLS_CA: it needs a REDIS_URL that begins with rediss:/],
  [
    { REDIS_URL: 'rediss://127.0.0.1:1', REDIS_TLS_CERT: '/nosuch.pem' },
    /Cannot use "\/nosuch.pem" as REDIS_TLS_CERT: the file cannot be read \(ENOENT\)/,
  ],
  [
    { REDIS_URL: 'rediss://127.0.0.1:1', REDIS_TLS_CA: '/dev/null' },
    /Cannot connect: REDIS_TLS_CA holds no certificate in PEM form/,
  ],
]

for (const [env, says] of wrong) {
  test(`${JSON.stringify(env)} is wrong usage`, async () => {
    const error = await failureOf(env)
    assert.ok(error instanceof UsageError, String(error))
    assert.match(error.message, says)
    assert.doesNotMatch(error.message, /s3cret/)
  })
}

test('a socket is connected to by REDIS_URL', async (t) => {
  const server = await startRedis({ args: ['--unixsocket', 'redis.sock'] })
  t.after(() => server.stop())
  const socket = join(server.dir, 'redis.sock')
  const millrace = await connectWith({ REDIS_URL: `unix://${socket}?db=2` })
  t.after(() => millrace.close())
  assert.equal(await millrace.send('SET', 'key', 'value'), 'OK')
  const redis = await server.client()
  await redis.send('SELECT', 2)
  assert.equal(await redis.send('EXISTS', 'key'), 1)
})

test(
  'TLS with certificates both ways is told in our variables',
  { skip: whyNoCertificates() },
  async (t) => {
    const { authority, server, client } = makeCertificates()
    const port = await freePort()
    const files = ['--tls-cert-file', server.certFile, '--tls-key-file', server.keyFile]
    const authorities = ['--tls-ca-cert-file', authority.certFile]
    const redis = await startRedis({ args: ['--tls-port', String(port), ...files, ...authorities] })
    t.after(() => redis.stop())
    const env = { REDIS_URL: `rediss://localhost:${port}`, REDIS_TLS_CA: authority.certFile }
    const refused = await failureOf(env)
    assert.ok(refused instanceof MillraceError)
    const remedy = /asks for a certificate of ours. Give it as REDIS_TLS_CERT, with REDIS_TLS_KEY/
    assert.match(refused.message, remedy)
    const own = { REDIS_TLS_CERT: client.certFile, REDIS_TLS_KEY: client.keyFile }
    const millrace = await connectWith({ ...env, ...own })
    assert.equal(await millrace.send('PING'), 'PONG')
    await millrace.close()
    const other = join(redis.dir, 'other.key')
    writeFileSync(other, authority.key)
    const mixed = await failureOf({ ...env, ...own, REDIS_TLS_KEY: other })
    assert.ok(mixed instanceof UsageError)
    assert.match(mixed.message, /REDIS_TLS_KEY belongs to another certificate than REDIS_TLS_CERT/)
  },
)
