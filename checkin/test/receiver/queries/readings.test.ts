/** One stream, two ways to count it: the second one is refused, whichever comes first. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshPrefix, onOldestAndNewest, type Bench } from '../../../../testing/on-each-server.ts'
import { runMain } from '../../../../testing/processes.ts'
import { checkinModel } from '../../../src/domain/checkins.ts'
import type { Reading } from '../../../src/processors/readings.ts'
import { load } from '../../../src/loader/load.ts'
import { claimReading } from '../../../src/processors/claim-reading.ts'
import { data } from '../../stage/small-data.ts'

const group = 'checkinConsumers'
const ofGroup: Reading = { kind: 'group', name: group }
const ofSingle: Reading = { kind: 'single processor', name: 'checkinprocessor' }
const byGroup = ['group-processor', 'c', '--drain']
const bySingle = ['checkinprocessor', '--drain']

async function loaded({ millrace, redis, server }: Bench) {
  const prefix = freshPrefix()
  const model = checkinModel(prefix)
  await load(millrace, data, { model, group })
  const env = { REDIS_URL: server.url, KEY_PREFIX: prefix }
  const counted = async () => (await redis.hash(model.userKey(2))).numCheckins
  return { millrace, redis, model, env, counted }
}

onOldestAndNewest(
  'a second reading',
  (bench) => {
    for (const [first, second, by] of [
      [byGroup, bySingle, /was processed by group checkinConsumers \(2 check-ins\)/],
      [bySingle, byGroup, /was processed by the single processor \(2 check-ins\)/],
    ] as const) {
      test(`by ${second[0]} after ${first[0]} is refused, unless --again says so`, async () => {
        const { millrace, model, env, counted } = await loaded(bench())
        assert.equal((await runMain(first, { env }).exited).code, 0)
        const refused = await runMain(second, { env }).exited
        assert.equal(refused.code, 1)
        assert.match(refused.stderr, by)
        assert.match(refused.stderr, /--again/)
        assert.equal(await counted(), '1')
        // The first way goes on, and a load begins anew.
        assert.equal((await runMain(first, { env }).exited).code, 0)
        const again = await runMain([...second, '--again'], { env }).exited
        assert.equal(again.code, 0, again.stderr)
        assert.equal(await counted(), '2')
        await load(millrace, data, { model, group })
        assert.equal((await runMain(second, { env }).exited).code, 0)
        assert.equal(await counted(), '1')
      })
    }

    test('that begins at the same time is refused, though nothing is counted yet', async () => {
      const { millrace, redis, model } = await loaded(bench())
      const claim = (reading: Reading) =>
        claimReading(millrace, { model, group, reading, again: false })
      for (let round = 0; round < 20; round += 1) {
        await redis.send('DEL', model.readingKey)
        const both = await Promise.allSettled([claim(ofGroup), claim(ofSingle)])
        const refusals = both.filter(({ status }) => status === 'rejected')
        assert.equal(refusals.length, 1)
        await claim(both[0].status === 'fulfilled' ? ofGroup : ofSingle)
      }
      const another: Reading = { kind: 'group', name: 'another' }
      await assert.rejects(claim(another), /is processed by/)
    })

    test('of a group that was lost still counts as the first', async () => {
      const { redis, model, env } = await loaded(bench())
      assert.equal((await runMain(byGroup, { env }).exited).code, 0)
      await redis.send('XGROUP', 'DESTROY', model.checkins.key, group)
      await redis.send('DEL', model.readingKey)
      const refused = await runMain(bySingle, { env }).exited
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /was processed by group checkinConsumers/)
    })
  },
  { concurrency: false },
)
