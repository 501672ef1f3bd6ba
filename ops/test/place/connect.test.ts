/** What is said where no server answers: whether somebody has named it. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connectByEnvironment } from '../../src/place/connect.ts'
import { startRedis } from '../../../testing/redis-servers.ts'

/** The URL of a port at which nobody listens. */
async function freeUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  assert.ok(address !== null && typeof address === 'object')
  return `redis://127.0.0.1:${address.port}`
}

const hint =
  /ECONNREFUSED.*That is the default, as no server was named: give --redis URL, or set REDIS_URL$/

test('the default server that does not answer is told as the default', async () => {
  const byDefault = await freeUrl()
  for (const env of [{}, { REDIS_URL: '' }]) {
    await assert.rejects(connectByEnvironment(env, { byDefault }), {
      code: 'UNREACHABLE',
      message: hint,
    })
  }
})

test('a server that was named is not', async () => {
  const url = await freeUrl()
  for (const [env, given] of [
    [{ REDIS_URL: url }, {}],
    [{}, { url }],
  ] as const) {
    await assert.rejects(connectByEnvironment(env, given), ({ message }: Error) => {
      assert.match(message, /ECONNREFUSED/)
      assert.doesNotMatch(message, /default/)
      return true
    })
  }
})

test('the default server that answers is used', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const millrace = await connectByEnvironment({}, { byDefault: server.url })
  assert.equal(await millrace.send('PING'), 'PONG')
  await millrace.close()
})
