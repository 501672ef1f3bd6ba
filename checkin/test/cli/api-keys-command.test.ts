/** `npx checkin api-keys`, and what the receiver's flags make of keys and tokens. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import { request, valid } from '../stage/receiver-stage.ts'

onOldestAndNewest(
  'api-keys command',
  (bench) => {
    const env = () => ({ REDIS_URL: bench().server.url, LOG_FORMAT: 'json' })
    const run = (...args: string[]) => runMain(['api-keys', ...args], { env: env() }).exited

    const listing = async () =>
      JSON.parse((await run('list', '--json')).stdout) as Record<string, string | null>[]

    test('makes a key that works, shows it once, and revokes it', async () => {
      const { redis } = bench()
      assert.match((await run()).stdout, /^There are no API keys\.$/m)
      const made = await run('create', 'phone app', '--scope', 'ingest', '--json')
      const { id, key, scopes } = JSON.parse(made.stdout) as Record<string, string>
      assert.deepEqual(scopes, ['ingest'])
      const plain = await run('create', 'board')
      assert.match(plain.stdout, /^mr_[0-9a-f]{12}_[\w-]{43}\n$/)
      assert.match(plain.stderr, /only time that the key is shown/)

      const listed = await run('list')
      assert.match(listed.stdout, new RegExp(`^${id ?? '?'} +phone app +ingest +20`, 'm'))
      assert.match(listed.stdout, / board +ingest read +20/)
      const stored = String(await redis.send('HGETALL', 'ncc:apikeys'))
      for (const text of [listed.stdout, stored]) assert.ok(!text.includes(String(key).slice(16)))

      const args = ['checkinreceiver', '--port', '0', '--grace', '0ms', '--api-keys']
      const receiver = runMain(args, { env: env() })
      const line = await receiver.waitForLine(/listens on/)
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? ''
      const post = async (headers: Record<string, string>): Promise<number> => {
        const init = { method: 'POST', body: JSON.stringify(valid) }
        const all = { 'content-type': 'application/json', ...headers }
        return (await request(`${url}/api/checkin`, { ...init, headers: all })).status
      }
      assert.equal(await post({}), 401)
      assert.equal(await post({ authorization: `Bearer ${key ?? ''}` }), 202)
      receiver.kill()
      const { stdout, stderr } = await receiver.exited
      assert.ok(!(stdout + stderr).includes(String(key).slice(16)))

      assert.equal((await run('revoke', String(id))).code, 0)
      const again = await run('revoke', String(id))
      assert.equal(again.code, 1)
      assert.match(again.stderr, /it was revoked already \(20\d\d-[-\dT:]+Z\)/)
      assert.match((await run('revoke', 'x')).stderr, /there is no such key/)
      const keys = await listing()
      assert.deepEqual(
        keys.map(({ name, state, expiresAt }) => [name, state, expiresAt]),
        [
          ['board', 'active', null],
          ['phone app', 'revoked', null],
        ],
      )
      const [, phone] = keys
      assert.ok(String(phone?.revokedAt) > String(phone?.lastUsedAt))
      // What somebody else wrote there is no key.
      await redis.send('HSET', 'ncc:apikeys', 'x', 'no JSON', 'y', '{"sha256":"00"}')
      await redis.send('RPUSH', 'ncc:apikeys:revoked', 'no JSON', '{"id":"0123456789ab"}')
      assert.equal((await listing()).length, 2)
      // Nor may it act on the terminal.
      const evil = { name: 'a\u001b[2Jb\nc', scopes: ['read'], createdAt: '\u001b]0;x' }
      const foreign = JSON.stringify({ ...evil, sha256: '0'.repeat(64) })
      await redis.send('HSET', 'ncc:apikeys', '0123456789ab', foreign, '\u001b[2J', foreign)
      const shown = (await run('list')).stdout
      assert.match(shown, /^0123456789ab +a\\u001b\[2Jb\\u000ac +read +\\u001b\]0;x +never +- +-$/m)
      assert.ok(!shown.includes('\u001b'))
    })

    test('makes a key that ends, and says when', async () => {
      const { redis } = bench()
      const made = await run('create', 'guest', '--expires', '90d', '--json')
      const { id, createdAt, expiresAt } = JSON.parse(made.stdout) as Record<string, string>
      assert.equal(Date.parse(String(expiresAt)) - Date.parse(String(createdAt)), 90 * 86_400_000)
      const day = String(expiresAt).slice(0, 10)
      assert.match(
        (await run('list')).stdout,
        new RegExp(`^${id ?? '?'} .* ${day}T[\\d:]+Z +-`, 'm'),
      )
      const plain = await run('create', 'guest', '--expires', '1d')
      assert.match(plain.stderr, /Its id is [0-9a-f]{12}, and it ends 20\d\d-/)
      const json = String(await redis.send('HGET', 'ncc:apikeys', String(id)))
      await redis.send('HSET', 'ncc:apikeys', String(id), json.replace(day, '2001-01-01'))
      assert.match((await run('list')).stdout, new RegExp(`^${id ?? '?'} .* expired +- +-$`, 'm'))
      assert.equal((await listing()).find((key) => key.id === id)?.state, 'expired')
    })

    test('says that npm exec may have dropped when the key ends', async () => {
      const npx = { ...env(), npm_command: 'exec', npm_lifecycle_event: 'npx' }
      const create = (...args: string[]) =>
        runMain(['api-keys', 'create', 'exec', ...args], { env: npx }).exited
      const { stderr } = await create()
      assert.match(
        stderr,
        /ends when it is revoked\. If you gave --expires, npm exec has dropped it/,
      )
      for (const expires of ['never', '90d']) {
        assert.doesNotMatch((await create('--expires', expires)).stderr, /npm exec/)
      }
      for (const { id } of await listing()) await run('revoke', String(id))
    })

    test('refuses wrong names, scopes and ends', async () => {
      const wrong = [['create'], ['create', 'a\nb'], ['create', 'a', '--scope', 'all']]
      for (const args of [...wrong, ['create', 'a', '--expires', 'soon']]) {
        assert.equal((await run(...args)).code, 2, args.join(' '))
      }
    })
  },
  { concurrency: false },
)

test('the receiver does not listen beyond the loopback for everybody', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-key-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'key.pem')
  writeFileSync(file, '-----BEGIN PRIVATE KEY-----\n')
  const run = (...args: string[]) => runMain(['checkinreceiver', '--port', '0', ...args]).exited
  const [open, name, privateKey, noFile, insecureUrl, both, origin, host] = await Promise.all([
    run('--host', '0.0.0.0'),
    run('--host', 'my-machine'),
    run('--jwt-key', file, '--jwt-any'),
    run('--jwt-key', join(folder, 'none'), '--jwt-any'),
    run('--jwt-jwks', 'http://keys.example/jwks'),
    run('--jwt-jwks', 'https://keys.example/jwks', '--jwt-key', file),
    run('--cors-origin', 'app.example'),
    run('--allow-host', 'a b'),
  ])
  for (const { code, stderr } of [open, name]) {
    assert.equal(code, 2)
    assert.match(
      stderr,
      /whoever reaches it could send check-ins\. Ask for API keys with --api-keys/,
    )
  }
  assert.match(privateKey.stderr, /it is a private key\. It holds a public key/)
  assert.match(noFile.stderr, /ENOENT/)
  assert.match(insecureUrl.stderr, /allowed is an https:\/\/ address/)
  for (const { code } of [privateKey, noFile, insecureUrl, both, origin, host]) {
    assert.equal(code, 2)
  }
})

test('flags that would let in more than was meant are refused at the start', async () => {
  const jwks = ['--jwt-jwks', 'https://keys.example/jwks']
  const wrong: [args: string[], says: RegExp][] = [
    [
      ['--trust-proxy', 'nonsense'],
      /Cannot use "nonsense" as --trust-proxy: allowed are addresses/,
    ],
    [['--trust-proxy', '10.0.0.0/33'], /Cannot use "10\.0\.0\.0\/33" as --trust-proxy/],
    [['--trust-proxy', '127.0.0.1, 10.0.0.0/8,'], /as --trust-proxy/],
    [['--trust-proxy', ''], /as --trust-proxy/],
    [jwks, /without --jwt-issuer and --jwt-audience: those that were made for another service/],
    [[...jwks, '--jwt-issuer', 'https://me.example'], /without --jwt-audience/],
    [['--jwt-key', 'x.pem', '--jwt-audience', 'us'], /without --jwt-issuer/],
    [['--jwt-default-scope', 'all'], /allowed is ingest, read, personal, metrics, read-all/],
    [['--public-fields', 'nick,password'], /that are no secrets/],
    [['--jwt-lifetime-max', '0s'], /Allowed is a time/],
  ]
  const ends = await Promise.all(
    wrong.map(([args]) => runMain(['checkinreceiver', '--port', '0', ...args]).exited),
  )
  for (const [at, { code, stderr }] of ends.entries()) {
    const [args = [], says = /./] = wrong[at] ?? []
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /^ +at /m, 'no stack')
  }
})
