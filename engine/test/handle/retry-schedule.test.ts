/** The schedule of retries, when somebody or the clock has touched it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupKeys } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  type Fixture,
} from '../stage/fixture.ts'

const keysOf = ({ visits }: Fixture) => groupKeys(visits.key, 'desk')

onEachServer('scheduled retries', (bench) => {
  test('that wait for longer than they were told to are due: the clock was set back', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    const { consumer } = startConsumer(t, fixture, 'one', {
      claimAfterMs: 200,
      handler: (_entry, { attempt }) => {
        if (attempt === 1) throw new Error('once')
        return undefined
      },
      retry: () => ({ kind: 'retry', afterMs: 60_000 }),
    })
    await waitFor(() => consumer.counts.retried === 1, { what: 'the failure' })
    await fixture.redis.send('ZINCRBY', keysOf(fixture).retries, '3600000', '1-0')
    await untilDrained(fixture)
    await consumer.stop()
    assert.equal(consumer.counts.applied, 1)
  })

  test('are found again when the schedule is lost', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    let isFailing = true
    const { consumer } = startConsumer(t, fixture, 'one', {
      claimAfterMs: 100,
      handler: () => {
        if (isFailing) throw new Error('no')
        return undefined
      },
      retry: () => ({ kind: 'retry', afterMs: 3_600_000 }),
    })
    await waitFor(() => consumer.counts.retried === 1, { what: 'the failure' })
    isFailing = false
    await fixture.redis.send('DEL', keysOf(fixture).retries)
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
  })
})
