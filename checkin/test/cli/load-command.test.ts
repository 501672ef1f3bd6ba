import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { freePort, startRedis, type TestServer } from '../../../testing/redis-servers.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { sampleFolder } from '../../src/loader/data-folder.ts'

describe('npm run load', { concurrency: 2 }, () => {
  let server: TestServer | undefined
  before(async () => {
    server = await startRedis()
  })
  after(() => server?.stop())

  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runMain(['load', ...args], { env: { REDIS_URL: server?.url ?? '', ...env } }).exited

  test('load command fills Redis with the sample data and says so in one line', async () => {
    const { code, stdout, stderr } = await run([], { KEY_PREFIX: 'a', CHECKIN_GROUP: 'mine' })
    assert.match(stderr, /^At redis:.*, stream "a:checkins", group "mine":\n/)
    assert.equal(code, 0)
    assert.equal(
      stdout,
      `Loaded 1,000 users, 210 locations, 5,000 check-ins from ${sampleFolder}. ` +
        'Stream "a:checkins" is complete and group "mine" begins at 0. Nothing was there before.\n',
    )
    const again = await run([], { KEY_PREFIX: 'a', CHECKIN_GROUP: 'mine' })
    assert.match(
      again.stdout,
      /Removed from before: 1,000 users, 210 locations, 5,000 check-ins, 0 dead letters\.\n$/,
    )
  })

  test('load command prints its summary as JSON', async () => {
    const { stdout, stderr } = await run(['--json'], { KEY_PREFIX: '{b}' })
    assert.match(stderr, /^At redis:.*:\n/)
    assert.deepEqual(JSON.parse(stdout), {
      folder: sampleFolder,
      stream: '{b}:checkins',
      group: 'checkinConsumers',
      users: 1000,
      locations: 210,
      checkins: 5000,
      unplaced: 0,
      removed: { users: 0, locations: 0, checkins: 0, deadLetters: 0 },
    })
  })

  test('load command checks the data before it asks for Redis', async (t) => {
    const folder = await mkdtemp(`${tmpdir()}/millrace-data-`)
    t.after(() => rm(folder, { recursive: true }))
    const nobody = { REDIS_URL: `redis://127.0.0.1:${await freePort()}` }
    const { code, stdout, stderr } = await run(['--data', folder], nobody)
    assert.equal(stdout, '')
    assert.equal(code, 1)
    assert.equal(
      stderr,
      `error: Cannot load "${folder}/users.json": there is no such file. ` +
        'A data folder holds users.json, locations.json and checkins.json. Nothing was loaded\n',
    )
  })

  test('load command removes what is no sample data only when it is told so, and says how much', async () => {
    const redis = await server?.client()
    const env = { KEY_PREFIX: 'd' }
    await run([], env)
    await redis?.send('HSET', 'd:users:424242', 'firstName', 'Ada')
    const isThere = async () => (await redis?.send('EXISTS', 'd:users:424242')) === 1
    const refused = await run([], env)
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /more than sample data: 1 user\. Nothing was loaded.* npm run load -- --replace\n$/,
    )
    const unasked = await run(['--replace'], env)
    assert.equal(unasked.code, 1)
    assert.match(
      unasked.stderr,
      /^This removes from redis:.*: 1,001 users, 210 locations, 5,000 check-ins, /m,
    )
    assert.match(unasked.stderr, /yes. Without a terminal: npm run load -- --replace --yes\n/)
    assert.ok(await isThere())
    const replaced = await run(['--replace', '--yes'], env)
    assert.equal(replaced.code, 0)
    assert.match(replaced.stderr, /^This removes from redis:.*: 1,001 users/m)
    assert.ok(!(await isThere()))
  })

  for (const args of [['--dta', 'x'], ['extra'], ['--data']]) {
    test(`load command refuses "${args.join(' ')}" as wrong usage`, async () => {
      const { code, stdout, stderr } = await run(args)
      assert.equal(code, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /^error: /m)
    })
  }

  test('load command refuses while a group processor runs, and --force overrules', async (t) => {
    const env = { KEY_PREFIX: 'c', REDIS_URL: server?.url ?? '' }
    await run([], env)
    const processor = runMain(['group-processor', 'alice'], { env })
    t.after(() => processor.kill('SIGKILL'))
    const client = await server?.client()
    const isRunning = async (): Promise<boolean> =>
      String(await client?.send('CLIENT', 'LIST')).includes('name=millrace:alice ')
    await waitFor(isRunning, { what: 'the processor to connect', timeoutMs: 30_000 })
    const refused = await run([], env)
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /^error: Cannot load while consumers are alive: alice\. .*--force/m,
    )
    const more = await run(['--replace', '--yes', '--json'], env)
    assert.match(more.stderr, /: npm run load -- --replace --yes --json --force\n$/)
    await client?.send('HSET', 'c:users:424242', 'firstName', 'Ada')
    const precious = await run(['--data', sampleFolder, '--force'], env)
    const line = `: npm run load -- --data ${sampleFolder} --force --replace\n`
    assert.ok(precious.stderr.endsWith(line), precious.stderr)
    await client?.send('DEL', 'c:users:424242')
    const forced = await run(['--force'], env)
    assert.equal(forced.code, 0)
    assert.match(forced.stderr, /^warning: consumers are alive: alice$/m)
    assert.match(forced.stdout, /^Loaded 1,000 users/)
  })
})
