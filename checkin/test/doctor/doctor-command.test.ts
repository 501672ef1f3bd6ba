/** `npm run doctor`: its exit codes, its calm amid work, and what it says about the living and the dead. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { diagnose, type Diagnosis } from '../../src/doctor/doctor.ts'
import {
  append,
  checkin,
  found,
  key,
  leases,
  model,
  name,
  processed,
  read,
} from '../stage/doctor-stage.ts'

onOldestAndNewest(
  'doctor command',
  (bench) => {
    test('as a command ends with 0, 1 or 2, and prints JSON', async () => {
      const { redis, server } = bench()
      await redis.send('FLUSHALL')
      const env = { REDIS_URL: server.url, NO_COLOR: '1' }
      const run = (...args: string[]) => runMain(['doctor', ...args], { env }).exited
      const empty = await run()
      assert.deepEqual([empty.code, empty.stderr], [1, ''])
      assert.match(empty.stdout, /\n {2}|warning {2}There is no stream.*\n +Why: .*\n +Do: /)
      await processed(10)(redis, bench())
      const healthy = await run()
      assert.match(healthy.stdout, /Balance: 10 appended = 0 skipped \+ 10 applied/)
      const isOld = healthy.stdout.includes('has a fault')
      assert.equal(healthy.code, isOld ? 1 : 0)
      if (!isOld) assert.match(healthy.stdout, /Nothing is wrong\.\n$/)
      await redis.send('XGROUP', 'SETID', key, name, '0')
      const moved = await run('--json')
      assert.equal(moved.code, 2)
      const { findings } = JSON.parse(moved.stdout) as Diagnosis
      assert.deepEqual([findings[0]?.check, findings[0]?.severity], ['group-moved-back', 'problem'])
      const nowhere = { REDIS_URL: 'redis://127.0.0.1:1' }
      const away = await runMain(['doctor', '--json'], { env: nowhere }).exited
      assert.equal(away.code, 2)
      const { error } = JSON.parse(away.stdout) as { error: { code: string; message: string } }
      assert.equal(error.code, 'UNREACHABLE')
      assert.match(error.message, /^Cannot connect/)
      assert.equal(away.stderr, `error: ${error.message}\n`)
    })

    test('says how many of the dead letters of its balance were purged', async () => {
      const { redis, server, millrace } = bench()
      await redis.send('FLUSHALL')
      const env = { REDIS_URL: server.url, NO_COLOR: '1' }
      await processed(1)(redis, bench())
      for (const wrong of ['x', 'y']) await redis.send('XADD', key, '*', 'userId', wrong)
      assert.equal((await runMain(['group-processor', 'one', '--drain'], { env }).exited).code, 0)
      const { deadLetters } = millrace.group(model.checkins, name)
      const said = async () => (await runMain(['doctor'], { env }).exited).stdout
      assert.match(await said(), / \+ 2 dead letters \+ 0 pending/)
      const [letter] = (await deadLetters.list()).letters
      await deadLetters.purge({ ids: [letter?.letterId ?? ''] })
      assert.match(await said(), / \+ 2 dead letters \(1 of them purged\) \+ 0 pending/)
    })

    test('finds nothing wrong with what works, also amid its work', async (t) => {
      const { redis, millrace } = bench()
      await redis.send('FLUSHALL')
      await processed(10)(redis, bench())
      const consumers = ['a', 'b'].map((one) =>
        millrace
          .group(model.checkins, name)
          .consumer(one, { projections: [model.users, model.locations], batch: 50 }),
      )
      const runs = consumers.map((consumer) => consumer.run())
      t.after(() => Promise.all(consumers.map((consumer) => consumer.stop())))
      t.after(() => Promise.all(runs))
      const group = millrace.group(model.checkins, name)
      const living = async () => (await group.roster()).filter(({ state }) => state === 'alive')
      await waitFor(async () => (await living()).length === 2, { what: 'both to live' })
      for (let round = 0; round < 20; round += 1) {
        await millrace.appendMany(
          model.checkins,
          Array.from({ length: 3000 }, () => ({ values: checkin })),
        )
        const { findings, balance } = await diagnose(millrace, model, name, { everyMs: 200 })
        const wrong = findings.filter(
          ({ check, severity }) => severity !== 'info' && check !== 'server-version',
        )
        assert.deepEqual(wrong, [])
        assert.equal(balance?.unaccounted ?? 0, 0)
      }
    })

    test('sees a consumer that is gone beside a living one', async (t) => {
      const { redis, millrace } = bench()
      await redis.send('FLUSHALL')
      await processed(1)(redis, bench())
      await append(redis, bench())
      await read(redis, bench())
      const consumer = millrace
        .group(model.checkins, name)
        .consumer('alive', { projections: [model.users, model.locations], claimAfterMs: 600_000 })
      const run = consumer.run()
      t.after(() => consumer.stop())
      t.after(() => run)
      await append(redis, bench())
      await waitFor(() => found(bench(), 'pending-without-lease'), { what: 'the finding' })
      assert.match((await found(bench(), 'pending-without-lease'))?.what ?? '', /cli \(1\)/)
      assert.notEqual(await redis.send('ZSCORE', leases, 'alive'), null)
    })
  },
  { concurrency: false, appendonly: 'everysec', args: ['--aof-load-truncated', 'no'] },
)
