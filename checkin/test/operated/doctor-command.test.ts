/** `checkin doctor`: its exit codes, its words, and what only this service knows of. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import type { Finding } from 'millrace-ops'
import { checkinModel } from '../../src/domain/checkins.ts'

const model = checkinModel('ncc')
const { key } = model.checkins
const name = 'checkinConsumers'
const projections = [model.users, model.locations]

interface Diagnosis {
  readonly findings: readonly Finding[]
}

/** Appends check-ins and processes them. */
async function processed({ millrace, redis }: Bench, many: number): Promise<void> {
  await redis.send('FLUSHALL')
  const group = millrace.group(model.checkins, name)
  await group.create()
  const values = { userId: 1, locationId: 1, starRating: 5 }
  await millrace.appendMany(
    model.checkins,
    Array.from({ length: many }, () => ({ values })),
  )
  await group.consumer('c', { projections, drain: true }).run()
}

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
      await processed(bench(), 10)
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
      assert.equal(away.code, 3)
      const { error } = JSON.parse(away.stdout) as { error: { code: string; message: string } }
      assert.equal(error.code, 'UNREACHABLE')
      assert.match(error.message, /^Cannot connect/)
      assert.equal(away.stderr, `error: ${error.message}\n`)
    })

    test('says how many of the dead letters of its balance were purged', async () => {
      const { redis, server, millrace } = bench()
      await redis.send('FLUSHALL')
      const env = { REDIS_URL: server.url, NO_COLOR: '1' }
      await processed(bench(), 1)
      for (const wrong of ['x', 'y']) await redis.send('XADD', key, '*', 'userId', wrong)
      assert.equal((await runMain(['group-processor', 'one', '--drain'], { env }).exited).code, 0)
      const { deadLetters } = millrace.group(model.checkins, name)
      const said = async () => (await runMain(['doctor'], { env }).exited).stdout
      assert.match(await said(), / \+ 2 dead letters \+ 0 pending/)
      const [letter] = (await deadLetters.list()).letters
      await deadLetters.purge({ ids: [letter?.letterId ?? ''] })
      assert.match(await said(), / \+ 2 dead letters \(1 of them purged\) \+ 0 pending/)
    })

    const foundIn = async (check: string): Promise<Finding | undefined> => {
      const env = { REDIS_URL: bench().server.url }
      const { stdout } = await runMain(['doctor', '--json'], { env }).exited
      return (JSON.parse(stdout) as Diagnosis).findings.find((finding) => finding.check === check)
    }

    test('finds hashes that other projections have folded', async () => {
      const { millrace, redis } = bench()
      await processed(bench(), 1)
      assert.equal(await foundIn('projections-changed'), undefined)
      await redis.send('FLUSHALL')
      const group = millrace.group(model.checkins, name)
      await group.create()
      await group.consumer('c', { projections: [model.users], drain: true }).run()
      const finding = await foundIn('projections-changed')
      assert.equal(finding?.severity, 'problem')
      assert.match(
        finding.what,
        /^Group checkinConsumers has folded check-ins of ncc:checkins by other projections/,
      )
      assert.match(finding.remedy, /another KEY_PREFIX/)
    })

    test('finds that the single processor has counted, too', async () => {
      await processed(bench(), 10)
      assert.equal(await foundIn('two-readings'), undefined)
      const { readerName, positionKey, users } = model
      const options = { name: readerName, positionKey, projections: [users], drain: true }
      await bench().millrace.reader(model.checkins, options).run()
      const finding = await foundIn('two-readings')
      assert.equal(finding?.severity, 'problem')
      assert.match(
        finding.what,
        /group checkinConsumers \(10 check-ins\).* by single processor checkinprocessor \(10\)/,
      )
    })

    for (const [taken, type] of [
      [model.positionKey, 'string'],
      [model.geoKey, 'zset'],
    ] as const) {
      test(`names ${taken} when it holds something else`, async () => {
        const { redis } = bench()
        await processed(bench(), 1)
        await redis.send('DEL', taken)
        await redis.send('LPUSH', taken, 'somebody')
        const finding = await foundIn('wrong-type')
        assert.equal(finding?.what, `Key "${taken}" holds a list, not a ${type}.`)
        assert.match(finding.remedy, /Or set KEY_PREFIX to one that nobody else uses\.$/)
        await redis.send('RENAME', taken, 'elsewhere')
        assert.equal(await foundIn('wrong-type'), undefined)
      })
    }

    test('says what it means for the service, and whose commands help', async () => {
      const { redis, millrace } = bench()
      await processed(bench(), 1)
      await redis.send('CONFIG', 'SET', 'maxmemory', '1mb')
      const memory = await foundIn('memory')
      await redis.send('CONFIG', 'SET', 'maxmemory', '0')
      assert.match(memory?.why ?? '', /the receiver answers 503 from 90 % on\.$/i)
      assert.match(memory?.remedy ?? '', /^npx checkin trim,/)
      await millrace.append(model.checkins, { userId: 1, locationId: 1, starRating: 5 })
      const nobody = await foundIn('no-processor')
      assert.match(nobody?.what ?? '', /^No processor is alive, 1 check-in is undelivered/)
      assert.match(nobody?.remedy ?? '', /^npm run checkingroupprocessor NAME -- --work none\.$/)
    })
  },
  { concurrency: false, appendonly: 'everysec', args: ['--aof-load-truncated', 'no'] },
)
