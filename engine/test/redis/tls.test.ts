/** TLS with an authority of one's own, certificates both ways, and sockets: told in words when it fails. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect, MillraceError, type ConnectOptions } from 'millrace'
import { makeCertificates, whyNoCertificates } from '../../../testing/certificates.ts'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { freePort, startRedis } from '../../../testing/redis-servers.ts'
import { within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
} from '../stage/fixture.ts'

const skip = whyNoCertificates()
const certificates = skip === false ? makeCertificates() : undefined

async function messageOf(options: ConnectOptions): Promise<string> {
  const error = await within(
    connect(options).catch((reason: unknown) => reason),
    { what: 'the refusal', timeoutMs: 15_000 },
  )
  assert.ok(error instanceof MillraceError && error.code === 'UNREACHABLE', String(error))
  assert.doesNotMatch(error.message, /error:[0-9A-F]{8}|OpenSSL|ssl3_|\bSSL/)
  return error.message
}

onEachServer('TLS', (bench) => {
  test('with our own authority, with and without a certificate of ours', { skip }, async (t) => {
    assert.ok(certificates !== undefined)
    const { authority, server, client, stranger } = certificates
    const port = await freePort()
    const files = ['--tls-cert-file', server.certFile, '--tls-key-file', server.keyFile]
    const asked = await startRedis({
      kind: bench().kind,
      args: ['--tls-port', String(port), ...files, '--tls-ca-cert-file', authority.certFile],
    })
    t.after(() => asked.stop())
    const url = `rediss://localhost:${port}`
    const ca = authority.cert
    const own = { cert: client.cert, key: client.key }
    const redis = await asked.client()

    const millrace = await connectFor(t, { url, tls: { ca: [Buffer.from(ca)], ...own } })
    const fixture = await freshGroup({ ...bench(), millrace, redis })
    await appendVisits(fixture, 10)
    // The consumer's own connection, too.
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })

    assert.match(await messageOf({ url }), /signed by nobody who is trusted here.*tls\.ca$/)
    assert.match(await messageOf({ url, tls: { ca } }), /asks for a certificate of ours.*tls\.cert/)
    const others = { ca, cert: stranger.cert, key: stranger.key }
    assert.match(await messageOf({ url, tls: others }), /refused our certificate/)
    const address = `rediss://127.0.0.1:${port}`
    assert.match(await messageOf({ url: address, tls: { ca, ...own } }), /is for another name/)
    await connectFor(t, { url: address, tls: { ca, ...own, servername: 'localhost' } })
    assert.match(await messageOf({ url: url.replace('rediss', 'redis') }), /use rediss:/)

    await redis.send('CONFIG', 'SET', 'tls-auth-clients', 'no')
    await connectFor(t, { url, tls: { ca } })
  })

  test('at a port without it says what to do', async () => {
    const url = bench().server.url.replace('redis:', 'rediss:')
    assert.match(await messageOf({ url }), /Without TLS, use redis:/)
  })
})

onEachServer('a socket', (bench) => {
  test('is connected to by unix://, with user, password and database', async (t) => {
    const { kind } = bench()
    const socket = (dir: string): string => join(dir, 'my redis.sock')
    const dir = bench().server.dir
    const server = await startRedis({ kind, args: ['--unixsocket', socket(dir)] })
    t.after(() => server.stop())
    const redis = await server.client()
    await redis.send('ACL', 'SETUSER', 'ada', 'on', '>p/w', '~*', '+@all')
    const path = socket(dir).replace(' ', '%20')
    const millrace = await connectFor(t, { url: `unix://ada:p%2Fw@${path}?db=3` })
    assert.equal(millrace.url, `unix://ada:***@${path}?db=3`)
    const fixture = await freshGroup({ ...bench(), millrace, redis })
    await appendVisits(fixture, 10)
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    await redis.send('SELECT', '3')
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
    assert.match(await messageOf({ url: 'unix:///nosuch.sock' }), /Is the server running\?$/)
  })
})

onEachServer('"Is the server running?"', (bench) => {
  test('is not asked of a server that answers', async () => {
    const told = async (url: string): Promise<string> =>
      String(await connect({ url }).catch((error: unknown) => error))
    const { url } = bench().server
    assert.match(await told(`${url}/99`), /DB index is out of range\. Use another number[^?]*$/)
    const stranger = url.replace('//', '//nobody:pw@')
    assert.match(await told(stranger), /WRONGPASS[^?]*Check user and password$/)
    assert.match(await told('redis://nosuch.invalid'), /host is not known[^?]*$/)
    assert.match(await told(`redis://127.0.0.1:${await freePort()}`), /Is the server running\?$/)
  })
})
