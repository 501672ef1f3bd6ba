/** The doctor's calm amid work, and what it says about the living and the dead. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { diagnose } from '../../src/doctor/doctor.ts'
import {
  append,
  found,
  leases,
  model,
  name,
  order,
  placeAt,
  processed,
  read,
} from '../stage/doctor-stage.ts'

onOldestAndNewest(
  'doctor amid work',
  (bench) => {
    test('finds nothing wrong with what works, also amid its work', async (t) => {
      const { redis, millrace } = bench()
      await redis.send('FLUSHALL')
      await processed(10)(redis, bench())
      const consumers = ['a', 'b'].map((one) =>
        millrace
          .group(model.orders, name)
          .consumer(one, { projections: [model.customers, model.products], batch: 50 }),
      )
      const runs = consumers.map((consumer) => consumer.run())
      t.after(() => Promise.all(consumers.map((consumer) => consumer.stop())))
      t.after(() => Promise.all(runs))
      const group = millrace.group(model.orders, name)
      const living = async () => (await group.roster()).filter(({ state }) => state === 'alive')
      await waitFor(async () => (await living()).length === 2, { what: 'both to live' })
      for (let round = 0; round < 20; round += 1) {
        await millrace.appendMany(
          model.orders,
          Array.from({ length: 3000 }, () => ({ values: order })),
        )
        const { findings, balance } = await diagnose(placeAt(millrace), { everyMs: 200 })
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
      const consumer = millrace.group(model.orders, name).consumer('alive', {
        projections: [model.customers, model.products],
        claimAfterMs: 600_000,
      })
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
