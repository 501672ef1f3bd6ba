/** An entry whose handler kills the process again and again: it stalls itself alone. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { groupKeys } from 'millrace/operate'
import { onEachServer, onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { runScript } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  age,
  appendVisits,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  type Fixture,
} from '../stage/fixture.ts'

const deadly = '500-0'

/** Keeps three processes running, as a supervisor does. @returns how often they have died of the entry; it grows. */
function supervise(t: TestContext, url: string, { prefix }: Fixture, deathsMax: number) {
  const seen = { deaths: 0 }
  const over = new AbortController()
  const keepRunning = async (name: string): Promise<void> => {
    while (!over.signal.aborted) {
      const args = [url, prefix, name, deadly, String(deathsMax)]
      const child = runScript('engine/test/stage/deadly-consumer.ts', args)
      const end = (): void => child.kill('SIGKILL')
      over.signal.addEventListener('abort', end)
      const { code, signal, stderr } = await child.exited
      over.signal.removeEventListener('abort', end)
      if (code === 7) seen.deaths += 1
      else assert.ok(signal === 'SIGKILL' && over.signal.aborted, stderr)
    }
  }
  const all = Promise.all(['a', 'b', 'c'].map(keepRunning))
  t.after(async () => {
    over.abort()
    await all
  })
  return seen
}

const suite = (bench: () => Bench): void => {
  test('stalls nobody else, however often it kills', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1000)
    const seen = supervise(t, bench().server.url, fixture, Infinity)
    await waitFor(async () => (await effects(fixture)).guests >= 999, {
      what: 'all the others to be applied',
      timeoutMs: 90_000,
    })
    assert.ok(seen.deaths > 0 && seen.deaths <= 20, `${seen.deaths} deaths`)
    assert.deepEqual(await effects(fixture), { guests: 999, rooms: 999 })
    const { pending, deadLetters, lag } = await fixture.group.describe()
    assert.deepEqual({ pending, deadLetters, lag }, { pending: 1, deadLetters: 0, lag: 0 })
  })

  test('becomes a dead letter after deathsMax, if that is set', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1000)
    const seen = supervise(t, bench().server.url, fixture, 2)
    await waitFor(async () => await fixture.group.isDrained(), {
      what: 'the group to be drained',
      timeoutMs: 90_000,
    })
    assert.ok(seen.deaths > 0 && seen.deaths <= 20, `${seen.deaths} deaths`)
    const { letters } = await fixture.group.deadLetters.list()
    assert.deepEqual(
      letters.map(({ entryId, reason, error }) => [entryId, reason, error]),
      [[deadly, 'handler', 'the process died 2 times while the handler had only this entry']],
    )
    assert.deepEqual(await effects(fixture), { guests: 999, rooms: 999 })
    const { attempts } = groupKeys(fixture.visits.key, 'desk')
    assert.equal(await fixture.redis.send('EXISTS', attempts), 0)
  })
}
// Each has three processes of its own.
onOldestAndNewest('an entry that kills its process', suite, { concurrency: false })

/** Pending for a consumer that is gone, delivered so often; the claim delivers once more. */
async function deliver(fixture: Fixture, times: number): Promise<void> {
  await readAndDie(fixture, 'dead1', 1000)
  for (let death = 2; death <= times; death += 1) {
    const claim = [fixture.visits.key, 'desk', `dead${death}`, '0', '0', 'COUNT', '1000']
    await fixture.redis.send('XAUTOCLAIM', ...claim)
  }
  await age(fixture, `dead${times}`, 3_600_000)
}

onEachServer('entries that were delivered often', (bench) => {
  test('are handled one at a time, each applied before the next; others beside each other', async (t) => {
    for (const [times, expected] of [
      [2, 10],
      [3, 1],
    ] as const) {
      const fixture = await freshGroup(bench())
      await appendVisits(fixture, 20)
      await deliver(fixture, times)
      let running = 0
      let most = 0
      const applied: number[] = []
      startConsumer(t, fixture, 'one', {
        claimAfterMs: 200,
        concurrency: 10,
        handler: async () => {
          running += 1
          most = Math.max(most, running)
          applied.push((await effects(fixture)).guests)
          running -= 1
        },
      })
      await untilDrained(fixture)
      assert.equal(most, expected)
      if (expected === 1) assert.deepEqual(applied, [...applied.keys()])
      assert.deepEqual(await effects(fixture), { guests: 20, rooms: 20 })
      assert.equal((await fixture.group.describe()).deadLetters, 0)
    }
  })

  test('go before the one that was alone when a process died; handled well, it is cleared', async (t) => {
    const fixture = await freshGroup(bench())
    const { attempts } = groupKeys(fixture.visits.key, 'desk')
    await appendVisits(fixture, 6)
    await deliver(fixture, 5)
    await fixture.redis.send('HSET', attempts, 'alone:2-0', '1', 'alone:4-0', '3')
    // Keeps the attempts from being removed as a whole.
    await fixture.redis.send('HSET', attempts, 'other', '1')
    const order: string[] = []
    const told: string[] = []
    const { consumer } = startConsumer(t, fixture, 'one', {
      claimAfterMs: 200,
      concurrency: 10,
      deathsMax: 3,
      observer: { retried: (id, attempt, error) => void told.push(`${id} ${attempt} ${error}`) },
      handler: ({ id }, { attempt }) => void order.push(`${id} ${attempt}`),
    })
    await waitFor(() => consumer.counts.applied === 5, { what: 'all but one' })
    await untilDrained(fixture)
    assert.deepEqual(order, ['1-0 1', '3-0 1', '5-0 1', '6-0 1', '2-0 1'])
    assert.deepEqual(told, ['2-0 0 the process died once while the handler had only this entry'])
    const { letters } = await fixture.group.deadLetters.list()
    assert.deepEqual(
      letters.map(({ entryId, reason }) => [entryId, reason]),
      [['4-0', 'handler']],
    )
    const left = (await fixture.redis.send('HKEYS', attempts)) as string[]
    assert.deepEqual(
      left.filter((field) => field.startsWith('alone:')),
      [],
    )
  })
})
