/** `npx checkin consumers`: who lives, and the removal of who does not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { runMain } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { checkinModel } from '../../src/domain/checkins.ts'

onOldestAndNewest(
  'consumers command',
  (bench) => {
    const env = () => ({ REDIS_URL: bench().server.url })
    const run = (...args: string[]) => runMain(['consumers', ...args], { env: env() }).exited

    test('says how to create the group when there is none', async () => {
      const { code, stderr } = await run()
      assert.equal(code, 1)
      assert.match(stderr, /npx checkin recover".* "npm run load/)
    })

    test('lists the living and the dead, and removes only the dead', async () => {
      const { millrace, redis } = bench()
      const { checkins } = checkinModel('ncc')
      await millrace.group(checkins, 'checkinConsumers').create()
      const values = { userId: 1, locationId: 1, starRating: 5 }
      await millrace.append(checkins, values)
      const read = ['GROUP', 'checkinConsumers', 'gone', 'STREAMS', checkins.key, '>']
      await redis.send('XREADGROUP', ...read)
      const living = runMain(['checkingroupprocessor', 'consumer1', '--claim-after', '1m'], {
        env: env(),
      })
      await living.waitForLine(/waiting for more/)
      // On 7.0 a consumer is known to the server once it was delivered something.
      await millrace.append(checkins, values)
      const users = () => redis.send('HGET', 'ncc:users:1', 'numCheckins')
      await waitFor(async () => (await users()) === '1', { what: 'its first check-in' })

      const listed = await run('--json')
      const roster = JSON.parse(listed.stdout) as Record<string, unknown>[]
      assert.deepEqual(
        roster.map(({ name, state, pending }) => [name, state, pending]),
        [
          ['consumer1', 'alive', 0],
          ['gone', 'no-lease', 1],
        ],
      )
      assert.match(
        (await run('list')).stdout,
        /CONSUMER +STATE +PENDING +IDLE +LEASE +HOLDER\nconsumer1 +alive/,
      )
      const alive = await run('remove', 'consumer1')
      assert.equal(alive.code, 1)
      assert.match(alive.stderr, /it is alive, process \d+ on .*Stop it first/)
      const unknown = await run('remove', 'nobody')
      assert.equal(unknown.code, 1)
      assert.match(unknown.stderr, /no consumer of that name/)
      const removed = await run('remove', 'gone')
      assert.equal(removed.code, 0, removed.stderr)
      assert.match(removed.stdout, /Consumer gone .* is removed. 1 pending/)
      assert.equal((await run('remove')).code, 2)
      // The living one gets what the dead one held, and a second of its name is refused.
      await waitFor(async () => (await users()) === '2', { what: 'the claimed check-in' })
      const second = await runMain(['checkingroupprocessor', 'consumer1'], { env: env() }).exited
      assert.equal(second.code, 1)
      assert.match(second.stderr, /the name is taken by a living consumer, process \d+ on/)
      living.kill('SIGTERM')
      assert.equal((await living.exited).code, 0)
    })
  },
  { concurrency: false },
)
