/** Which entries a recovery makes dead letters, each once, also when it is broken off. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MillraceError } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { within } from '../../../testing/wait-for.ts'
import {
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  type Fixture,
} from '../stage/fixture.ts'
import {
  appendMore,
  assertBalance,
  drained,
  halfDone,
  ledgerKey,
  patient,
  summary,
  untilApplied,
  untilNoted,
} from '../stage/lost-group.ts'

onEachServer('letters of a recovery', (bench) => {
  test('that dies in the middle is finished by the next one, and no consumer works between', async (t) => {
    // The server knows the scripts by then, so the reply that is lost is that of a call.
    const before = await freshGroup(bench())
    await halfDone(t, before, { isNoted: false })
    await before.redis.send('XGROUP', 'DESTROY', before.visits.key, 'desk')
    await before.group.recover()
    for (const cut of ['write', ':attempts']) {
      const fixture = await freshGroup(bench())
      const { redis, visits, group } = fixture
      await halfDone(t, fixture, { many: 700, held: 450, isNoted: false })
      await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
      const proxy = await startProxy(bench().server.port)
      t.after(() => proxy.close())
      const millrace = await connectFor(t, { url: proxy.url })
      proxy.cutBeforeReply(cut)
      await assert.rejects(millrace.group(visits, 'desk').recover(), /Outcome unknown/)
      assert.equal(proxy.cuts, 1)
      const { condition } = await group.recovery()
      assert.equal(condition, cut === 'write' ? 'unfinished' : 'healthy')
      if (cut === 'write') {
        await redis.send('XGROUP', 'CREATE', visits.key, 'desk', '600-0')
        const { ended } = startConsumer(t, fixture, 'hasty')
        const error = await within(ended, { what: 'the consumer to refuse' })
        assert.ok(error instanceof MillraceError && error.code === 'GROUP_MOVED')
      }
      await Promise.all([group.recover(), group.recover()])
      assert.equal(await redis.send('XLEN', fixture.dead), 700)
      assert.equal(await redis.send('HGET', ledgerKey(fixture), 'deadLettered'), '700')
      await assertBalance(fixture)
      await drained(t, fixture)
      assert.deepEqual(await effects(fixture), { guests: 250, rooms: 250 })
    }
  })

  test('takes an entry that has a dead letter for settled', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await readyWithLetter(t, fixture)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    assert.deepEqual(summary(await group.recovery()), ['no-group', '3-0', 0, 2])
    await group.recover()
    assert.deepEqual(
      (await group.deadLetters.list({ order: 'oldest' })).letters.map(({ entryId }) => entryId),
      ['2-0', '1-0', '3-0'],
    )
  })

  test('finds the letter of an entry behind more letters than it reads at once', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group, dead } = fixture
    const others = Array.from({ length: 1000 }, (_, n) => `${n + 1}-0`)
    for (const id of others) await redis.send('XADD', dead, id, 'id', '9-0', 'time', '1')
    await readyWithLetter(t, fixture)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    const plan = await within(group.recovery(), { what: 'the recovery to read all letters' })
    assert.deepEqual(summary(plan), ['no-group', '3-0', 0, 2])
    await group.recover()
    // Two more letters: entry 2 has its own already.
    assert.equal(await redis.send('XLEN', dead), others.length + 3)
  })

  test('does not take a redriven entry for settled, although a sweep saw it so', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await readyWithLetter(t, fixture, 3)
    await group.deadLetters.redrive({ ids: ['2-0'] })
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    // And the one that was pending; the last one is known to be settled.
    assert.equal((await group.recovery()).unknown, 2)
  })
})

/** Entry 1 is pending, entry 2 a dead letter, entry 3 applied. */
async function readyWithLetter(t: TestContext, fixture: Fixture, noted = 0): Promise<void> {
  const { redis, visits } = fixture
  await appendMore(fixture, 1, 1)
  await readAndDie(fixture, 'dead', 1)
  await redis.send('XADD', visits.key, '2-0', 'guest', 'nobody')
  await appendMore(fixture, 3, 3)
  const { consumer } = startConsumer(t, fixture, 'one', patient)
  await untilApplied(fixture, 1)
  if (noted > 0) await untilNoted(fixture, noted, 1)
  await consumer.stop()
  if (noted === 0) await redis.send('HDEL', ledgerKey(fixture), 'pendingIds', 'pendingUpTo')
}
