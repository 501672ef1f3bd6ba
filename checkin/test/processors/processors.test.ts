/** The processors as people run them: the seed's lines to the letter, summaries, drains, stops. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { runMain, type MainProcess } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { checkinModel } from '../../src/domain/checkins.ts'

let prefixes = 0
// Several processes start at once here, on any machine.
const slowly = { timeoutMs: 60_000 }

/** A group of its own, under a key prefix of its own. */
async function freshGroup({ millrace, redis, server }: Bench) {
  prefixes += 1
  const prefix = `p${prefixes}`
  const model = checkinModel(prefix)
  await millrace.group(model.checkins, 'checkinConsumers').create()
  const env = { REDIS_URL: server.url, KEY_PREFIX: prefix, LOG_FORMAT: 'pretty' }
  const append = (id: string, userId: number, locationId: number) =>
    millrace.append(model.checkins, { userId, locationId, starRating: 5 }, { id })
  return { env, append, redis, prefix, model }
}

onOldestAndNewest(
  'group processor',
  (bench) => {
    test('says the lines of the exercise, to the letter', async () => {
      const { env, append } = await freshGroup(bench())
      await append('1609602085397-0', 789, 171)
      await append('1609604227545-0', 752, 100)
      const args = ['checkingroupprocessor', 'consumer1', '--work', '1ms..2ms', '--drain']
      const { code, stdout, stderr } = await runMain(args, { env }).exited
      assert.equal(code, 0, stderr)
      const prefix = env.KEY_PREFIX
      assert.deepEqual(stdout.split('\n').slice(0, 11), [
        'info: consumer1: Starting up.',
        'info: consumer1: Processing checkin 1609602085397-0.',
        'debug: consumer1: Processing 1609602085397-0.',
        `debug: consumer1: Updating user ${prefix}:users:789 and location ${prefix}:locations:171.`,
        'info: consumer1: Acknowledged processing of checkin 1609602085397-0.',
        'info: consumer1: Pausing to simulate work.',
        'info: consumer1: Processing checkin 1609604227545-0.',
        'debug: consumer1: Processing 1609604227545-0.',
        `debug: consumer1: Updating user ${prefix}:users:752 and location ${prefix}:locations:100.`,
        'info: consumer1: Acknowledged processing of checkin 1609604227545-0.',
        'info: consumer1: Pausing to simulate work.',
      ])
    })

    test('is the exercise as it is typed in the seed, and says so', async () => {
      const { env, append } = await freshGroup(bench())
      for (let n = 1; n <= 4; n += 1) await append(`${n}-0`, n, 9)
      const npm = { ...env, npm_lifecycle_event: 'checkingroupprocessor' }
      const [one, two] = ['consumer1', 'consumer2'].map((name) => {
        return runMain(['checkingroupprocessor', name], { env: npm })
      }) as [MainProcess, MainProcess]
      // Each has one check-in at a time, and a pause after it: none of them gets all.
      await Promise.all(
        [one, two].map((process) => process.waitForLine(/Pausing to simulate work\./, slowly)),
      )
      for (const process of [one, two]) process.kill('SIGINT')
      const { code, stdout } = await one.exited
      assert.equal(code, 0)
      const [note, start, processing, ...rest] = stdout.split('\n')
      assert.equal(
        note,
        'info: consumer1: One checkin at a time with pauses of 1s..5s, as in the exercise. ' +
          'Full speed: npm run checkingroupprocessor consumer1 -- --work none',
      )
      assert.equal(start, 'info: consumer1: Starting up.')
      const [, n] = /^info: consumer1: Processing checkin (\d)-0\.$/.exec(processing ?? '') ?? []
      const prefix = env.KEY_PREFIX
      assert.deepEqual(rest.slice(0, 4), [
        `debug: consumer1: Processing ${n}-0.`,
        `debug: consumer1: Updating user ${prefix}:users:${n} and location ${prefix}:locations:9.`,
        `info: consumer1: Acknowledged processing of checkin ${n}-0.`,
        'info: consumer1: Pausing to simulate work.',
      ])
      assert.match((await two.exited).stdout, /consumer2: Acknowledged/)
    })

    for (const args of [
      ['group-processor', 'c'],
      ['checkingroupprocessor', 'c', '--work', 'none'],
      ['checkingroupprocessor', 'c', '--batch', '10'],
    ]) {
      test(`works at full speed as ${args.join(' ')}`, async () => {
        const { env, append } = await freshGroup(bench())
        for (let n = 1; n <= 30; n += 1) await append(`${n}-0`, n, 9)
        const running = runMain(args, { env })
        await running.waitForLine(/Processed 30 checkins/, slowly)
        running.kill('SIGINT')
        const { stdout } = await running.exited
        assert.doesNotMatch(stdout, /Pausing|exercise/)
      })
    }

    test('shares the exercise with a second one: no check-in goes to both', async () => {
      const { env, append } = await freshGroup(bench())
      for (let n = 1; n <= 12; n += 1) await append(`${n}-0`, n, n)
      const run = (name: string) => {
        const args = ['checkingroupprocessor', name, '--work', '60ms..120ms', '--drain']
        return runMain(args, { env })
      }
      const [one, two] = [run('consumer1'), run('consumer2')]
      const ids = async (process: typeof one) => {
        const { stdout } = await process.exited
        return [...stdout.matchAll(/Acknowledged processing of checkin (\S+)\./g)].map(
          ([, id]) => id,
        )
      }
      const both = [...(await ids(one)), ...(await ids(two))]
      assert.equal(new Set(both).size, 12)
      assert.equal(both.length, 12)
    })

    test('sums up once a second, and says that it waits only when it was idle for a while', async () => {
      const { env, append } = await freshGroup(bench())
      const running = runMain(['group-processor', 'consumer1'], { env })
      await append('1-0', 1, 1)
      await running.waitForLine(
        /^info: consumer1: Processed 1 checkin, 1\/s, lag 0, pending 0\.$/,
        slowly,
      )
      await append('2-0', 1, 1)
      await running.waitForLine(/Processed 2 checkins/)
      assert.doesNotMatch(running.stdout, /waiting/)
      await running.waitForLine(/^info: consumer1: waiting for more checkins\.\.\.$/)
      running.kill('SIGINT')
      const { code, stdout } = await running.exited
      assert.equal(code, 0)
      assert.match(stdout, /Stopped\. Processed 2 checkins\.\n$/)
      assert.doesNotMatch(stdout, /Processing checkin/)
    })

    test('that never began says why, and nothing else', async () => {
      const { env, redis } = await freshGroup(bench())
      const first = runMain(['group-processor', 'consumer1'], { env })
      await first.waitForLine(/Starting up\./)
      const taken = await runMain(['group-processor', 'consumer1'], { env }).exited
      assert.equal(taken.code, 1)
      assert.equal(taken.stdout, '')
      assert.match(taken.stderr, /^error: .*consumer1/)
      first.kill('SIGINT')
      assert.match(
        (await first.exited).stdout,
        /Starting up\.\n.*Stopped\. Processed 0 checkins\.\n$/,
      )
      await redis.send('XGROUP', 'DESTROY', `${env.KEY_PREFIX}:checkins`, 'checkinConsumers')
      for (const flag of ['--pull', '--drain']) {
        const missing = await runMain(['group-processor', 'consumer2', flag], { env }).exited
        assert.equal(missing.code, 1)
        assert.equal(missing.stdout, '')
        assert.match(missing.stderr, /^error: .*group "checkinConsumers"/)
      }
    })

    test('warns of a dead letter and of claims, one JSON object a line', async () => {
      const { env, append, redis, prefix } = await freshGroup(bench())
      await append('1-0', 1, 1)
      const key = `${prefix}:checkins`
      await redis.send('XREADGROUP', 'GROUP', 'checkinConsumers', 'gone', 'STREAMS', key, '>')
      await redis.send('XADD', key, '2-0', 'userId', 'x\r\ninfo: forged', 'locationId', '1')
      const args = ['checkingroupprocessor', 'consumer1', '--drain', '--claim-after', '100ms']
      const json = { ...env, LOG_FORMAT: 'json' }
      const { code, stdout } = await runMain(args, { env: json }).exited
      assert.equal(code, 0)
      const lines = stdout.trim().split('\n')
      const warnings = lines
        .map((line) => JSON.parse(line) as { level: string; msg: string })
        .filter(({ level }) => level === 'warn')
      assert.deepEqual(warnings.map(({ msg }) => msg).sort(), [
        'consumer1: Checkin 2-0 became a dead letter: field "userId" must be an integer of at least 1.',
        'consumer1: Claimed 1 checkin of gone.',
      ])
    })

    test('survives its pause when it is stopped: the check-in is acknowledged', async () => {
      const { env, append, redis, prefix } = await freshGroup(bench())
      await append('1-0', 1, 1)
      const running = runMain(['checkingroupprocessor', 'c', '--work', '1m..2m'], { env })
      await running.waitForLine(/Pausing/)
      running.kill('SIGTERM')
      assert.equal((await running.exited).code, 0)
      const pending = await redis.send('XPENDING', `${prefix}:checkins`, 'checkinConsumers')
      assert.equal((pending as number[])[0], 0)
    })
  },
  // Each starts processes of its own.
  { concurrency: false },
)

onOldestAndNewest('single processor', (bench) => {
  test('goes on at its position, and stops in order', async () => {
    const { env, append, redis, model } = await freshGroup(bench())
    await append('1-0', 1, 1)
    const drained = await runMain(['checkinprocessor', '--drain'], { env }).exited
    assert.equal(drained.code, 0)
    assert.match(drained.stdout, /^info: checkinprocessor: Starting up\.\n/)
    await append('2-0', 1, 2)
    const running = runMain(['checkinprocessor'], { env })
    await waitFor(async () => (await redis.send('GET', model.positionKey)) === '2-0', {
      what: 'the position',
    })
    running.kill('SIGTERM')
    assert.equal((await running.exited).code, 0)
    assert.equal(await redis.send('HGET', model.userKey(1), 'numCheckins'), '2')
  })
})
