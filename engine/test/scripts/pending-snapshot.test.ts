/** What sweeps note in the ledger about pending entries. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  freshGroup,
  readAndDie,
  startConsumer,
  type Fixture,
} from '../stage/fixture.ts'
import { appendMore, ledgerKey, patient, untilApplied, untilNoted } from '../stage/lost-group.ts'

onEachServer('note of a sweep', (bench) => {
  test('reaches to the last delivered id, or to the 500th pending one', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 700)
    await readAndDie(fixture, 'dead', 600)
    startConsumer(t, fixture, 'one', patient)
    await untilNoted(fixture, 500, 500)
    const ids = String(await fixture.redis.send('HGET', ledgerKey(fixture), 'pendingIds')).split(
      ' ',
    )
    assert.deepEqual([ids.length, ids[0], ids.at(-1)], [500, '1-0', '500-0'])
    await fixture.redis.send('XACK', fixture.visits.key, 'desk', ...ids)
    await untilNoted(fixture, 700, 100)
  })

  test('is not written when nothing has changed', async (t) => {
    const fixture = await freshGroup(bench())
    const key = ledgerKey(fixture)
    await appendVisits(fixture, 20)
    await readAndDie(fixture, 'dead', 10)
    startConsumer(t, fixture, 'one', patient)
    await untilNoted(fixture, 20, 10)
    const watcher = await bench().server.client()
    await watcher.send('WATCH', key)
    // Two more sweeps have been when its turn has been taken twice.
    for (let turn = 0; turn < 2; turn += 1) await untilNextTurn()
    await watcher.send('MULTI')
    await watcher.send('PING')
    assert.deepEqual(await watcher.send('EXEC'), ['PONG'])

    async function untilNextTurn(): Promise<void> {
      const leases = key.replace(/ledger$/, 'leases')
      const turn = () => fixture.redis.send('ZSCORE', leases, '@sweep')
      const before = await turn()
      const what = 'the next turn to sweep'
      await waitFor(async () => (await turn()) !== before, { what, timeoutMs: 10_000 })
    }
  })

  test('is left alone when the group was moved back', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 20)
    await readAndDie(fixture, 'dead', 10)
    const { consumer } = startConsumer(t, fixture, 'one', patient)
    await untilNoted(fixture, 20, 10)
    await consumer.stop()
    const before = await fixture.redis.hash(ledgerKey(fixture))
    await fixture.redis.send('XGROUP', 'SETID', fixture.visits.key, 'desk', '15-0')
    await readAndDie(fixture, 'other', 5)
    await appendMore(fixture, 21, 22)
    await readAndDie(fixture, 'other', 2)
    // It has nothing of its own, and sweeps.
    startConsumer(t, fixture, 'two', patient)
    const turn = () =>
      fixture.redis.send('ZSCORE', ledgerKey(fixture).replace(/ledger$/, 'leases'), '@sweep')
    const last = await turn()
    await waitFor(async () => (await turn()) !== last, { what: 'a sweep', timeoutMs: 10_000 })
    assert.deepEqual(await fixture.redis.hash(ledgerKey(fixture)), before)
  })

  test('keeps what it says of all others when a letter is redriven', async (t) => {
    const fixture = await freshGroup(bench())
    await bad(fixture, 1)
    await appendMore(fixture, 2, 100)
    const { consumer } = startConsumer(t, fixture, 'one', patient)
    await untilApplied(fixture, 99)
    await untilNoted(fixture, 100, 0)
    await consumer.stop()
    await fixture.group.deadLetters.redrive({ all: true })
    await fixture.redis.send('XGROUP', 'DESTROY', fixture.visits.key, 'desk')
    assert.equal((await fixture.group.recover()).lettersWritten, 1)
    const [letter] = (await fixture.group.deadLetters.list()).letters
    assert.deepEqual([letter?.entryId, letter?.reason], ['1-0', 'unknown'])
  })

  test('is bounded: beyond, it holds only before what is redriven', async (t) => {
    const fixture = await freshGroup(bench())
    await appendMore(fixture, 1, 1)
    await bad(fixture, 2)
    await appendMore(fixture, 3, 3)
    const { consumer } = startConsumer(t, fixture, 'one', patient)
    await untilApplied(fixture, 2)
    await consumer.stop()
    const ids = ['1-0', ...Array.from({ length: 5000 }, (_, n) => `${n + 100}-0`)]
    const note = ['pendingUpTo', '9999-0', 'pendingIds', ids.join(' ')]
    await fixture.redis.send('HSET', ledgerKey(fixture), ...note)
    await fixture.group.deadLetters.redrive({ all: true })
    const { pendingUpTo, pendingIds } = await fixture.redis.hash(ledgerKey(fixture))
    assert.deepEqual([pendingUpTo, pendingIds], ['2-0', '1-0 2-0'])
  })
})

async function bad({ redis, visits }: Fixture, id: number): Promise<void> {
  await redis.send('XADD', visits.key, `${id}-0`, 'guest', 'nobody')
}
