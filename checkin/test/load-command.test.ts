import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { after, before, describe, test } from 'node:test'
import { runMain } from '../../testing/processes.ts'
import { freePort, startRedis, type TestServer } from '../../testing/redis-servers.ts'
import { waitFor } from '../../testing/wait-for.ts'
import { sampleFolder } from '../src/loader/data-folder.ts'

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
    assert.equal(stderr, '')
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
    assert.equal(stderr, '')
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

  for (const args of [['--dta', 'x'], ['extra'], ['--data']]) {
    test(`load command refuses "${args.join(' ')}" as wrong usage`, async () => {
      const { code, stdout, stderr } = await run(args)
      assert.equal(code, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /^error: /)
    })
  }

  test('load command refuses while a group processor runs, and --force overrules', async (t) => {
    const env = { KEY_PREFIX: 'c', REDIS_URL: server?.url ?? '' }
    await run([], env)
    const processor = runMain(['checkingroupprocessor', 'alice'], { env })
    t.after(() => processor.kill('SIGKILL'))
    const client = await server?.client()
    const isRunning = async (): Promise<boolean> =>
      String(await client?.send('CLIENT', 'LIST')).includes('name=millrace:alice ')
    await waitFor(isRunning, { what: 'the processor to connect', timeoutMs: 30_000 })
    const refused = await run([], env)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /^error: Cannot load while consumers are alive: alice\. .*--force/)
    const forced = await run(['--force'], env)
    assert.equal(forced.code, 0)
    assert.equal(forced.stderr, 'warning: consumers are alive: alice\n')
    assert.match(forced.stdout, /^Loaded 1,000 users/)
  })
})
