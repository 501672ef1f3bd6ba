/** `npx checkin groups pause|resume` and `npx checkin consumers pause|resume NAME`, with a processor that runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { checkinModel } from '../../src/domain/checkins.ts'

onOldestAndNewest(
  'pause command',
  (bench) => {
    const env = () => ({ REDIS_URL: bench().server.url, LOG_FORMAT: 'pretty' })
    const run = (...args: string[]) => runMain(args, { env: env() }).exited

    test('is refused without a group, and without a name', async () => {
      const { code, stderr } = await run('groups', 'pause')
      assert.equal(code, 1)
      assert.match(stderr, /npx checkin recover".* "npm run load/)
      assert.equal((await run('consumers', 'pause')).code, 2)
      assert.equal((await run('consumers', 'pause', 'a b')).code, 2)
    })

    test('is refused for a processor that there is not, and shown everywhere if it is meant', async () => {
      const { millrace } = bench()
      await millrace.group(checkinModel('ncc').checkins, 'checkinConsumers').create()
      const typo = await run('consumers', 'pause', 'ghostly')
      assert.deepEqual([typo.code, typo.stdout], [1, ''])
      assert.match(typo.stderr, /Cannot pause consumer "ghostly": .* has no consumers.* --future/)
      assert.equal((await run('consumers', 'pause', 'ghostly', '--future')).code, 0)
      const shown = await run('consumers')
      assert.match(shown.stdout, /ghostly +absent, paused +0/)
      assert.match(
        shown.stdout,
        /Consumer ghostly of group checkinConsumers is paused since 20.*Z by .*\(process \d+\)\.\n/,
      )
      assert.match((await run('doctor')).stdout, /Consumer ghostly is paused since/)
      const groups = await run('groups')
      assert.match(groups.stdout, /Consumer ghostly of group .* is paused since 20.*Z by /)
      assert.match((await run('groups', '--json')).stdout, /"ghostly":\{"since":\d+,"by":\{"user"/)
      assert.match((await run('consumers', 'resume', 'ghostly')).stdout, /is resumed/)
      assert.match((await run('consumers', 'resume', 'ghostly')).stdout, /was not paused/)
    })

    test('halts the group or one processor until it is resumed, as tables and log say', async () => {
      const { millrace, redis } = bench()
      const { checkins } = checkinModel('ncc')
      const group = millrace.group(checkins, 'checkinConsumers')
      await group.create()
      const processor = runMain(['group-processor', 'c1'], { env: env() })
      await processor.waitForLine(/waiting for more/)
      const said = (line: RegExp, times: number) =>
        waitFor(() => [...processor.stdout.matchAll(line)].length === times, { what: String(line) })
      let round = 0
      for (const [command, ...name] of [['groups'], ['consumers', 'c1']] as [
        string,
        ...string[],
      ][]) {
        round += 1
        const paused = await run(command, 'pause', ...name)
        assert.equal(paused.code, 0, paused.stderr)
        assert.match(
          paused.stdout,
          /^(?:Group checkinConsumers|Consumer c1 .*) is paused, within 2 s\./,
        )
        await said(/c1: Paused: reads and begins nothing/g, round)
        const before = await redis.send('HGET', 'ncc:users:1', 'numCheckins')
        await millrace.append(checkins, { userId: 1, locationId: 1, starRating: 5 })
        const shown = await run(command)
        assert.match(
          shown.stdout,
          command === 'groups' ? /checkinConsumers +paused/ : /alive, paused/,
        )
        assert.equal(await redis.send('HGET', 'ncc:users:1', 'numCheckins'), before)
        const again = await run(command, 'pause', ...name)
        assert.match(
          again.stdout,
          /is paused already, since 20.*Z by .*\(process \d+\); nothing changed/,
        )
        const resumed = await run(command, 'resume', ...name, '--json')
        const { isPaused, changed } = JSON.parse(resumed.stdout) as Record<string, unknown>
        assert.deepEqual([resumed.code, isPaused, changed], [0, false, true])
        await said(/c1: Resumed\./g, round)
        const counted = () => redis.send('HGET', 'ncc:users:1', 'numCheckins')
        await waitFor(async () => (await counted()) === String(round), { what: 'the check-in' })
        assert.match((await run(command, 'resume', ...name)).stdout, /was not paused/)
      }
      processor.kill('SIGTERM')
      assert.equal((await processor.exited).code, 0)
    })
  },
  { concurrency: false },
)
