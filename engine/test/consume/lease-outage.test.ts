/** After an outage all leases have ended: who renews first must not take the others for dead. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { groupKeys } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { appendVisits, effects, freshGroup, startConsumer, untilDrained } from '../stage/fixture.ts'

const rounds = 2

onEachServer('leases that all have ended', (bench) => {
  test('lead to no claim from the living, who renew them', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const { leases } = groupKeys(visits.key, 'desk')
    await appendVisits(fixture, 5)
    const release = new AbortController()
    t.after(() => release.abort())
    const handler = async (): Promise<void> => {
      await once(release.signal, 'abort')
    }
    // The holder renews every 1.5 s, the others every 0.1 s: they are the first by far.
    const options = { claimAfterMs: 6000, concurrency: 5, handler }
    const holder = startConsumer(t, fixture, 'holder', options)
    await waitFor(async () => (await fixture.group.describe()).pending === 5, { what: 'delivery' })
    const others = ['b', 'c', 'd'].map((name) =>
      startConsumer(t, fixture, name, { claimAfterMs: 400 }),
    )
    const names = ['holder', 'b', 'c', 'd']
    const areRenewed = async (): Promise<boolean> => {
      const ends = (await redis.send('ZMSCORE', leases, ...names)) as (string | null)[]
      const [seconds] = (await redis.send('TIME')) as string[]
      return ends.every((end) => Number(end) > Number(seconds) * 1000)
    }
    for (let round = 0; round < rounds; round += 1) {
      await waitFor(areRenewed, { what: 'all leases to run' })
      await redis.send('ZADD', leases, ...names.flatMap((name) => ['1', name]))
    }
    await waitFor(areRenewed, { what: 'all leases to run' })
    for (const { consumer } of others) assert.equal(consumer.counts.claimed, 0)
    release.abort()
    await untilDrained(fixture)
    await holder.consumer.stop()
    assert.equal(holder.consumer.counts.applied, 5)
    assert.deepEqual(await effects(fixture), { guests: 5, rooms: 5 })
  })
})
