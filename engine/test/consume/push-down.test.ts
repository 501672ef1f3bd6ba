/** Push-down in trouble and in company: nothing is lost, doubled or held up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { integer, MillraceError, projection, stream, sum } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { compilePushDown } from '../../src/apply/compile-push-down.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { propertyRuns } from '../../../testing/property-runs.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  visit,
  type Fixture,
} from '../stage/fixture.ts'
import { script } from '../stage/script-calls.ts'

const pushed = { mode: 'push-down' } as const

onEachServer('push-down', (bench) => {
  test('folds what is there and what comes, and leaves nothing pending on the way', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 500)
    const batches: number[] = []
    const { consumer } = startConsumer(t, fixture, 'one', {
      ...pushed,
      observer: { folded: ({ applied }) => void batches.push(applied) },
    })
    await untilDrained(fixture)
    for (let n = 0; n < 5; n += 1) {
      await fixture.millrace.append(fixture.visits, visit(n))
      await untilDrained(fixture)
    }
    assert.deepEqual(await effects(fixture), { guests: 505, rooms: 505 })
    await waitFor(() => consumer.counts.applied === 505, { what: 'the last reply' })
    assert.ok(batches.length > 5 && batches[0]! <= 100, 'the first call is a small one')
    const { consumers, lag, entriesRead } = await fixture.group.describe()
    assert.deepEqual(
      consumers.map(({ name, pending }) => ({ name, pending })),
      [{ name: 'one', pending: 0 }],
    )
    assert.deepEqual([lag, entriesRead], [0, 505])
  })

  test('takes more at once as soon as the server has told how long a call lasts', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 3000)
    const batches: number[] = []
    const { ended } = startConsumer(t, fixture, 'one', {
      ...pushed,
      drain: true,
      budgetMs: 1000,
      observer: { folded: ({ applied }) => void batches.push(applied) },
    })
    await ended
    // The second call is the first that another one waits for, and the third tells how long it took.
    assert.deepEqual(batches.slice(0, 3), [100, 100, 100])
    assert.ok(Math.max(...batches) > 500, `batches of ${batches.join()}`)
  })

  test('applies once when replies are lost, and the ledger counts what the consumer cannot', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const direct = await freshGroup(bench())
    const millrace = await connectFor(t, { url: proxy.url })
    const group = millrace.group(direct.visits, 'desk')
    await appendVisits(direct, 500)
    // Else the replies that are lost say that the script is not known yet.
    await direct.redis.send('SCRIPT', 'LOAD', scriptOf(direct).text)
    proxy.cutBeforeReply(scriptOf(direct).digest, 4)
    const options = { ...pushed, batch: 10, claimAfterMs: 60_000 }
    const { consumer } = startConsumer(t, { ...direct, group }, 'one', options)
    await untilDrained(direct)
    assert.equal(proxy.cuts, 4)
    assert.deepEqual(await effects(direct), { guests: 500, rooms: 500 })
    assert.deepEqual(await settledInLedger(direct), { applied: 500, deadLettered: 0 })
    const { applied } = consumer.counts
    assert.ok(applied < 500, 'void: no reply to a batch was lost')
  })

  test('a consumer whose name another process has taken applies nothing more', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    const { ended } = startConsumer(t, fixture, 'one', pushed)
    await appendVisits(fixture, 3)
    await untilDrained(fixture)
    const { holders, leases } = groupKeys(visits.key, 'desk')
    const holder = { token: 'other', leaseMs: 60_000, host: 'elsewhere', pid: 1, since: 'now' }
    await redis.send('HSET', holders, 'one', JSON.stringify(holder))
    await redis.send('ZADD', leases, String(Date.now() + 60_000), 'one')
    await fixture.millrace.append(visits, visit(3))
    const error = await within(ended, { what: 'the consumer to halt' })
    assert.ok(error instanceof MillraceError && error.code === 'SUPERSEDED', String(error))
    assert.deepEqual(await effects(fixture), { guests: 3, rooms: 3 })
    assert.equal((await fixture.group.describe()).lag, 1)
  })

  test('shares its group with consumers that pull, and claims what dead ones left', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1000)
    await readAndDie(fixture, 'doomed', 40)
    await readAndDie(fixture, 'pushing', 5)
    const names = { pulling: 'pull', pushing: 'push-down', alsoPushing: 'push-down' } as const
    const consumers = Object.entries(names).map(([name, mode]) =>
      startConsumer(t, fixture, name, { mode, batch: 50, claimAfterMs: 200 }),
    )
    for (let round = 0; round < 20; round += 1) await appendMore(fixture, 50)
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 2000, rooms: 2000 })
    const total = (): number =>
      consumers.reduce((sum, { consumer }) => sum + consumer.counts.applied, 0)
    await waitFor(() => total() === 2000, { what: 'the last reply' })
    assert.deepEqual(await settledInLedger(fixture), { applied: 2000, deadLettered: 0 })
  })

  test('drains to the end and ends, where pulled entries are still pending', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 30)
    await readAndDie(fixture, 'doomed', 10)
    const options = { ...pushed, drain: true, claimAfterMs: 100 }
    const { ended } = startConsumer(t, fixture, 'one', options)
    assert.equal(await within(ended, { what: 'the drain to end' }), undefined)
    assert.deepEqual(await effects(fixture), { guests: 30, rooms: 30 })
  })

  test('an error in the script before its first write loses nothing', async () => {
    const fixture = await freshGroup(bench())
    const ids = await appendVisits(fixture, 20)
    const point = '-- From here on nothing can fail.'
    await assert.rejects(drainBroken(fixture, point, `error('injected') ${point}`), /injected/)
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
    const { lag, lastDeliveredId } = await fixture.group.describe()
    assert.deepEqual([lag, lastDeliveredId], [20, '0-0'])
    // The control: were it to fail after the group was moved, the entries would be gone, and this test would see it.
    const read = 'redis.call(unpack(read))'
    await assert.rejects(drainBroken(fixture, read, `${read} error('injected')`), /injected/)
    const after = await fixture.group.describe()
    assert.deepEqual([after.lag, after.lastDeliveredId], [0, ids.at(-1)])
    assert.deepEqual(await effects(fixture), { guests: 0, rooms: 0 })
  })

  test('leaves the group the counts that reading leaves, whatever was deleted or trimmed', async () => {
    const { redis, millrace } = bench()
    const fixture = await freshGroup(bench())
    const { visits, guests } = fixture
    const other = millrace.group(visits, 'reading')
    await other.create()
    let at = 0
    const append = async (many: number): Promise<string[]> =>
      await millrace.appendMany(
        visits,
        Array.from({ length: many }, (_, n) => ({ values: visit(n), id: `${(at += 1)}-0` })),
      )
    const drainBoth = async (): Promise<void> => {
      const options = { projections: [guests], ...pushed, batch: 4, drain: true }
      await fixture.group.consumer('one', options).run()
      const read = ['GROUP', 'reading', 'x', 'NOACK', 'STREAMS', visits.key, '>']
      await redis.send('XREADGROUP', ...read)
      const counts = [fixture.group, other].map(async (group) => {
        const { lag, entriesRead, lastDeliveredId } = await group.describe()
        return { lag, entriesRead, lastDeliveredId }
      })
      const [pushedCounts, readCounts] = await Promise.all(counts)
      assert.deepEqual(pushedCounts, readCounts)
    }
    await append(10)
    await drainBoth()
    const [, second = '', , , fifth = ''] = await append(10)
    await redis.send('XDEL', visits.key, second, fifth)
    await drainBoth()
    await append(10)
    await redis.send('XTRIM', visits.key, 'MAXLEN', '6')
    await drainBoth()
    await redis.send('XTRIM', visits.key, 'MAXLEN', '0')
    await append(3)
    await drainBoth()
    await append(9)
    await drainBoth()
  })

  test('sums integers of a batch exactly beyond 2^53, and refuses only what leaves 64 bits', async () => {
    const { millrace, redis } = bench()
    const most = 2n ** 63n - 1n
    const amounts = fc.array(fc.bigInt({ min: 2n ** 53n - 9n, max: 2n ** 53n - 1n }), {
      minLength: 2,
      maxLength: 9,
    })
    const held = fc.oneof(
      fc.bigInt({ min: 0n, max: most }),
      fc.bigInt({ min: most - 2n ** 55n, max: most }),
    )
    await fc.assert(
      fc.asyncProperty(held, amounts, fc.boolean(), async (before, some, isNegative) => {
        const prefix = freshPrefix()
        const sign = isNegative ? -1n : 1n
        const visits = stream(`${prefix}:s`, { stars: integer() })
        const group = millrace.group(visits, 'g')
        await group.create()
        const key = `${prefix}:total`
        await redis.send('HSET', key, 'stars', String(sign * before))
        const additions = some.map((amount) => ({ values: { stars: Number(sign * amount) } }))
        await millrace.appendMany(visits, additions)
        const totals = projection(key, { stars: sum('stars') })
        await group.consumer('c', { projections: [totals], ...pushed, drain: true }).run()
        const limit = isNegative ? most + 1n : most
        let total = before
        for (const amount of some) total += total + amount > limit ? 0n : amount
        assert.equal(await redis.send('HGET', key, 'stars'), String(sign * total))
      }),
      { numRuns: propertyRuns(100, bench().kind) },
    )
  })

  test('cannot be asked for where a handler decides, and is not taken by itself where entries are told', async (t) => {
    const fixture = await freshGroup(bench())
    const handler = (): undefined => undefined
    assert.throws(() => fixture.group.consumer('one', { ...pushed, handler }), /Cannot push down/)
    await appendVisits(fixture, 3)
    const told: string[] = []
    const delivered = (entries: readonly { id: string }[]): void => {
      for (const { id } of entries) told.push(id)
    }
    startConsumer(t, fixture, 'one', { observer: { delivered } })
    await untilDrained(fixture)
    assert.deepEqual(told, ['1-0', '2-0', '3-0'])
  })
})

async function appendMore({ millrace, visits }: Fixture, many: number): Promise<void> {
  await millrace.appendMany(
    visits,
    Array.from({ length: many }, (_, n) => ({ values: visit(n) })),
  )
}

async function settledInLedger({ redis, visits }: Fixture) {
  const { ledger } = groupKeys(visits.key, 'desk')
  const [applied, deadLettered] = (await redis.send(
    'HMGET',
    ledger,
    'applied',
    'deadLettered',
  )) as string[]
  return { applied: Number(applied), deadLettered: Number(deadLettered) }
}

const scriptOf = ({ visits, guests, rooms }: Fixture) =>
  script('push-down', compilePushDown(visits, plansOf([guests, rooms], visits)))

/** Runs the script with an error put into its text. */
async function drainBroken(fixture: Fixture, find: string, replacement: string): Promise<unknown> {
  const { visits, redis } = fixture
  const { text } = scriptOf(fixture)
  const broken = text.replace(find, replacement)
  assert.notEqual(broken, text)
  const keys = groupKeys(visits.key, 'desk')
  const names = [keys.stream, keys.deadLetters, keys.holders, keys.ledger, keys.attempts]
  const args = ['desk', 'one', '', '100', '500000', '64']
  return await redis.send('EVAL', broken, String(names.length), ...names, ...args)
}
