/** Wrong usage and missing things: each ends with its exit code and says what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { freePort } from '../../../testing/redis-servers.ts'
import { runMain } from '../../../testing/processes.ts'

const run = (args: string[], env: Record<string, string> = {}) => runMain(args, { env }).exited

const wrongUsage: { args: string[]; env?: Record<string, string>; says: RegExp }[] = [
  {
    args: [],
    says: /Usage: checkin <command>[^]*Run the service:[^]*Look at it:[^]*Keep and repair/,
  },
  { args: ['nonsense'], says: /unknown command 'nonsense'/ },
  { args: ['grups'], says: /unknown command 'grups'\n\(Did you mean groups\?\)/ },
  { args: ['consumers', 'remov', 'x'], says: /unknown command 'remov'\n\(Did you mean remove\?\)/ },
  { args: ['groups', 'paus'], says: /unknown command 'paus'\n\(Did you mean pause\?\)/ },
  { args: ['dead-letters', 'purg'], says: /unknown command 'purg'\n\(Did you mean purge\?\)/ },
  { args: ['api-keys', 'revok', 'x'], says: /unknown command 'revok'\n\(Did you mean revoke\?\)/ },
  { args: ['__proto__'], says: /unknown command '__proto__'/ },
  { args: ['--nonsense'], says: /unknown option '--nonsense'/ },
  { args: ['groups', '--nonsense'], says: /unknown option '--nonsense'/ },
  { args: ['checkingroupprocessor'], says: /missing required argument 'name'/ },
  { args: ['checkingroupprocessor', 'a b'], says: /1 to 64 letters, digits/ },
  { args: ['checkingroupprocessor', 'x'.repeat(65)], says: /1 to 64 letters, digits/ },
  { args: ['checkingroupprocessor', 'c', 'd'], says: /too many arguments/ },
  { args: ['checkingroupprocessor', 'c', '--batch', '0'], says: /from 1 to 5000/ },
  { args: ['checkingroupprocessor', 'c', '--budget', '0ms'], says: /from 1ms to 1000ms/ },
  { args: ['checkingroupprocessor', 'c', '--work', '5s..1s'], says: /the shorter time first/ },
  { args: ['checkingroupprocessor', 'c', '--work', 'long'], says: /a time like 500ms/ },
  { args: ['checkingroupprocessor', 'c', '--claim-after', '10'], says: /a time like 500ms/ },
  { args: ['groups'], env: { KEY_PREFIX: 'a b' }, says: /Cannot use "a b" as KEY_PREFIX/ },
  { args: ['groups'], env: { CHECKIN_GROUP: 'a/b' }, says: /as CHECKIN_GROUP: allowed is 1 to 64/ },
  { args: ['groups'], env: { LOG_LEVEL: 'loud' }, says: /as LOG_LEVEL: allowed is debug, info/ },
  { args: ['groups'], env: { LOG_FORMAT: 'xml' }, says: /as LOG_FORMAT: allowed is pretty, json/ },
  {
    args: ['groups'],
    env: { CHECKIN_RECEIVER_PORT: '70000' },
    says: /Cannot use "70000" as CHECKIN_RECEIVER_PORT: allowed is a port from 0 to 65535/,
  },
  {
    args: ['groups'],
    env: { REDIS_URL: 'http://ada:secret@localhost' },
    says: /Cannot use REDIS_URL: url begins with none of redis:\/\/, rediss:\/\/ and unix:\/\//,
  },
]

for (const { args, env, says } of wrongUsage) {
  test(`${args.join(' ')} ${JSON.stringify(env ?? {})} is wrong usage`, async () => {
    const { code, stderr, stdout } = await run(args, env)
    assert.equal(code, 2, stderr)
    assert.match(stderr, says)
    assert.equal(stdout, '')
    assert.doesNotMatch(stderr, /secret|\n {4}at /)
  })
}

test('with --json a command that is used wrongly says so on stdout, too', async () => {
  const { code, stdout, stderr } = await run(['groups', '--json', '--nonsense'])
  assert.equal(code, 2)
  assert.deepEqual(JSON.parse(stdout), {
    error: { code: 'USAGE', message: "unknown option '--nonsense'" },
  })
  assert.equal(stderr, "error: unknown option '--nonsense'\n")
  assert.equal((await run(['groups', '--nonsense', '--', '--json'])).stdout, '')
})

test('every command has help and a version, and says how it was called', async () => {
  const names = ['load', 'groups', 'group-processor', 'receiver', 'checkinreceiver']
  for (const name of names) {
    const help = await run([name, '--help'])
    assert.equal(help.code, 0)
    assert.match(help.stdout, new RegExp(`Usage: checkin ${name} `))
    const byNpm = await run([name, '--help'], { npm_lifecycle_event: name })
    assert.match(byNpm.stdout, new RegExp(`Usage: npm run ${name} -- `))
    const version = await run([name, '--version'])
    assert.deepEqual([version.code, version.stdout.trim()], [0, '0.1.0'])
  }
})

test('the front door shows all commands by purpose, and its version', async () => {
  const { code, stdout } = await run(['--help'])
  assert.equal(code, 0)
  assert.match(stdout, /Run the service:\n +start +the whole service/)
  assert.match(stdout, /\n +receiver\|checkinreceiver /)
  assert.match(stdout, /Keep and repair it:\n +pause [^]*\n +reindex /)
  const version = await run(['--version'])
  assert.deepEqual([version.code, version.stdout.trim()], [0, '0.1.0'])
})

test('a server that is away is named without its password', async () => {
  const url = `redis://ada:secret@127.0.0.1:${await freePort()}`
  const { code, stderr } = await run(['groups'], { REDIS_URL: url })
  assert.equal(code, 1)
  assert.match(stderr, /^error: Cannot connect to redis:\/\/ada:\*\*\*@127\.0\.0\.1:\d+: /)
  assert.doesNotMatch(stderr, /secret/)
})

onOldestAndNewest(
  'missing and wrong keys',
  (bench) => {
    const env = () => ({ REDIS_URL: bench().server.url })

    test('a missing stream or group ends a processor with the way to create it', async () => {
      const missing = await run(['checkingroupprocessor', 'c'], env())
      assert.equal(missing.code, 1)
      assert.match(missing.stderr, /does not exist\. .*"npx checkin groups create"/)
      assert.equal(await bench().redis.send('EXISTS', 'ncc:checkins'), 0)
      await bench().redis.send('XADD', 'ncc:checkins', '*', 'a', 'b')
      const lost = await run(['checkingroupprocessor', 'c'], env())
      assert.equal(lost.code, 1)
      assert.match(lost.stderr, /If it was there before and was lost: "npx checkin recover"/)
    })

    test('a stream key of another type ends both processors', async () => {
      await bench().redis.send('DEL', 'ncc:checkins')
      await bench().redis.send('SET', 'ncc:checkins', 'text')
      for (const args of [['checkingroupprocessor', 'c'], ['checkinprocessor']]) {
        const { code, stderr } = await run(args, env())
        assert.equal(code, 1)
        assert.match(stderr, /another type/i)
        assert.doesNotMatch(stderr, /\n {4}at /)
      }
    })
  },
  { concurrency: false },
)
