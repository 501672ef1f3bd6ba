/** Whoever reads many entries, to count, to list or to look for one, reads large ones in steps: no call reads them all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, integer, projection, stream } from 'millrace'
import { groupKeys } from '../../src/redis/keys.ts'
import { setIdle } from '../../src/scripts/lease.ts'
import { readBacklogs } from '../../src/scripts/reading.ts'
import { takeDue } from '../../src/scripts/retries.ts'
import type { Reply } from '../../src/redis/connection.ts'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'

const many = 24
const size = 300_000
// Far below all of them, far above the half of a megabyte that a call reads at most and a reply holds again.
const bytesMax = 3_000_000
const body = 'x'.repeat(size)
const ids = Array.from({ length: many }, (_, at) => `${at + 1}-0`)

// One after the other: what the server needs at most is looked at.
onEachServer(
  'reading large entries',
  (bench) => {
    const used = async (what: 'used_memory' | 'used_memory_peak'): Promise<number> => {
      const info = String(await bench().redis.send('INFO', 'memory'))
      return Number(new RegExp(`^${what}:(\\d+)`, 'm').exec(info)?.[1])
    }

    /** Works, and looks how much more the server needed than it held before or holds afterwards. */
    async function inSteps<Result>(work: () => Promise<Result>): Promise<Result> {
      const before = await used('used_memory')
      const result = await work()
      const held = Math.max(before, await used('used_memory'))
      const needed = (await used('used_memory_peak')) - held
      assert.ok(needed < bytesMax, `the server needed ${needed} bytes for a call`)
      return result
    }

    /** A stream of large entries, and its group, with what is known of it. */
    async function largeGroup() {
      const prefix = freshPrefix()
      const notes = stream(`${prefix}:notes`, { page: integer() })
      const group = bench().millrace.group(notes, 'desk')
      await group.create()
      for (const id of ids) {
        await bench().millrace.append(notes, { page: 1 }, { id, extra: { body } })
      }
      const connection = {
        send: (command: readonly string[]): Promise<Reply> => bench().millrace.send(...command),
      }
      /** Makes all pending for a consumer, without a reply that holds them. */
      const deliverTo = async (consumer: string): Promise<void> => {
        const { redis } = bench()
        await redis.send('XGROUP', 'SETID', notes.key, 'desk', ids.at(-1) ?? '')
        const claim = ['XCLAIM', notes.key, 'desk', consumer, '0', ...ids, 'FORCE', 'JUSTID']
        await redis.send(...claim)
      }
      const pages = projection(`${prefix}:pages:{page}`, { notes: count() })
      const keys = groupKeys(notes.key, 'desk')
      return { prefix, notes, group, connection, deliverTo, pages, keys }
    }

    /** Dead letters of entries that nobody has, each with a large field. */
    async function largeLetters() {
      const fixture = await largeGroup()
      const { redis } = bench()
      for (const id of ids) {
        const about = ['id', `9-${parseInt(id)}`, 'reason', 'handler', 'error', 'e', 'time', '1']
        await redis.send('XADD', fixture.keys.deadLetters, id, ...about, 'field:body', body)
      }
      return fixture
    }

    test('a page reads few of those that begin behind small ones', async () => {
      const key = `${freshPrefix()}:notes`
      const { redis, millrace } = bench()
      for (let n = 1; n <= 85; n += 1) await redis.send('XADD', key, `0-${n}`, 'page', '1')
      for (const id of ids) await redis.send('XADD', key, id, 'body', body)
      const { entries } = await inSteps(() => millrace.entryPage(key))
      assert.ok(entries.length > 85 && entries.length <= 89, `${entries.length} entries`)
    })

    test('a balance counts the undelivered ones', async () => {
      const { group } = await largeGroup()
      const { undelivered, oldestUndeliveredId } = await inSteps(() => group.balance())
      assert.deepEqual(
        { undelivered, oldestUndeliveredId },
        { undelivered: many, oldestUndeliveredId: '1-0' },
      )
    })

    test('a repair of the lag counts them', async () => {
      const { group, notes } = await largeGroup()
      await bench().redis.send('XGROUP', 'SETID', notes.key, 'desk', '1-0')
      const { undelivered } = await inSteps(() => group.repairLag())
      assert.equal(undelivered, many - 1)
    })

    test('the explanation of a trim counts them', async () => {
      const { group, notes } = await largeGroup()
      await bench().redis.send('XGROUP', 'SETID', notes.key, 'desk', ids.at(-1) ?? '')
      const outcome = await inSteps(() => bench().millrace.trim(notes, { dryRun: true }))
      assert.ok(outcome.kind === 'explained' && outcome.removable === many - 1 && outcome.isExact)
      assert.ok(group)
    })

    test('the lag is counted where the server does not know it, between small ones at both ends', async () => {
      const { group, notes, connection } = await largeGroup()
      const { redis } = bench()
      await redis.send('XADD', notes.key, '50-0', 'page', '1')
      await redis.send('XDEL', notes.key, '1-0', '20-0')
      await redis.send('XGROUP', 'SETID', notes.key, 'desk', '2-0')
      const { groups } = await inSteps(() => readBacklogs(connection, notes.key, { group: 'desk' }))
      // Not at once: too many bytes are after it and before it. So in steps, and what is before it is little.
      assert.equal(groups[0]?.undelivered, null)
      assert.equal((await inSteps(() => group.describe())).lag, many - 2)
    })

    test('a reader counts what is behind its position, up to a bound', async () => {
      const { notes, pages } = await largeGroup()
      const named = { name: 'alone', positionKey: `${notes.key}:position` }
      const reader = bench().millrace.reader(notes, { ...named, projections: [pages] })
      assert.equal(await inSteps(() => reader.lag()), null)
    })

    test('pages hold half a megabyte, from both ends, and lead to all', async () => {
      const { notes } = await largeGroup()
      const { millrace } = bench()
      for (const order of ['oldest', 'newest'] as const) {
        const found: string[] = []
        for (let after: string | null | undefined; after !== null;) {
          const options = { order, count: 1000, after }
          const page = await inSteps(() => millrace.entryPage(notes.key, options))
          assert.ok(page.entries.length <= 2, `${page.entries.length} entries a page`)
          found.push(...page.entries.map(({ id }) => id))
          after = page.next
        }
        assert.deepEqual(found, order === 'oldest' ? ids : ids.toReversed())
      }
    })

    test('retries that are due are taken a few a call', async () => {
      const { keys, connection, deliverTo, pages, group } = await largeGroup()
      const { redis } = bench()
      await deliverTo('retry')
      await redis.send('ZADD', keys.retries, ...ids.flatMap((id) => ['1', id]))
      const what = { group: 'desk', consumer: 'two', countMax: 100 }
      const due = await inSteps(() => takeDue(connection, keys, what))
      assert.deepEqual([due.nextDueMs, due.entries.length, due.lost], [0, 2, []])
      assert.equal(await redis.send('ZCARD', keys.retries), many - 2)
      // A consumer goes on until all are taken; those of the dead one it claims.
      const options = { projections: [pages], drain: true, claimAfterMs: 50 }
      await group.consumer('one', options).run()
      assert.equal((await redis.hash(pages.template.replace('{page}', '1'))).notes, String(many))
    })

    test('what is given back is dealt with a few a call', async () => {
      const { keys, connection, deliverTo } = await largeGroup()
      await deliverTo('gone')
      const what = { group: 'desk', consumer: 'gone', idleMs: 5_000_000, ids }
      assert.equal(await inSteps(() => setIdle(connection, keys, what)), 2)
    })

    test('a consumer is removed, and a group compared with its ledger, without reading any', async () => {
      const { keys, group, deliverTo } = await largeGroup()
      const { redis } = bench()
      const reads = async (): Promise<number> => {
        const info = String(await redis.send('INFO', 'commandstats'))
        return Number(/^cmdstat_xrange:calls=(\d+)/m.exec(info)?.[1] ?? 0)
      }
      await deliverTo('gone')
      const known = ['since', '1', 'applied', '0', 'deadLettered', '0', 'delivered', '0-0']
      await redis.send('HSET', keys.ledger, ...known)
      assert.equal((await inSteps(() => group.recovery())).condition, 'healthy')
      const before = await reads()
      assert.equal(await inSteps(() => group.removeConsumer('gone')), many)
      assert.equal((await reads()) - before, 0)
      await redis.send('XACK', keys.stream, 'desk', '7-0')
      assert.equal((await group.recovery()).condition, 'entries-missing')
    })

    test('a recovery looks at them, and makes dead letters of them, in steps', async () => {
      const { keys, group, notes } = await largeGroup()
      const { redis } = bench()
      const known = ['since', '1', 'applied', '1', 'deadLettered', '0', 'skipped', '0']
      const places = ['top', '21-0', 'delivered', '21-0', 'firstPending', '2-0']
      await redis.send('HSET', keys.ledger, ...known, ...places)
      await redis.send('XGROUP', 'DESTROY', notes.key, 'desk')
      const plan = await inSteps(() => group.recovery())
      assert.deepEqual([plan.unknown, plan.toDeliver, plan.isToDeliverExact], [20, many - 21, true])
      const { lettersWritten, toDeliver } = await inSteps(() => group.recover())
      assert.deepEqual([lettersWritten, toDeliver], [20, many - 21])
    })

    test('a trim within a node of the stream removes them a few a call', async (t) => {
      const { redis, millrace } = bench()
      await redis.send('CONFIG', 'SET', 'stream-node-max-bytes', '0')
      t.after(() => redis.send('CONFIG', 'SET', 'stream-node-max-bytes', '4096'))
      const { notes } = await largeGroup()
      await redis.send('XGROUP', 'SETID', notes.key, 'desk', ids.at(-1) ?? '')
      const outcome = await inSteps(() => millrace.trim(notes))
      assert.ok(outcome.kind === 'trimmed')
      assert.deepEqual([outcome.removed, outcome.remaining], [many - 1, 1])
    })

    test('dead letters are listed, counted, looked for and purged in steps', async () => {
      const { group, keys, notes } = await largeLetters()
      const { deadLetters } = group
      for (const order of ['oldest', 'newest'] as const) {
        const { letters, next } = await inSteps(() => deadLetters.list({ order, count: 1000 }))
        const found = letters.map(({ letterId }) => letterId)
        assert.deepEqual(found, order === 'oldest' ? ids : ids.toReversed())
        assert.equal(next, null)
      }
      await bench().redis.send('XGROUP', 'SETID', notes.key, 'desk', ids.at(-1) ?? '')
      const state = await inSteps(() => group.entryState('1-0'))
      assert.equal(state.kind, 'applied')
      assert.equal(await inSteps(() => deadLetters.count({ all: true })), many)
      const { purged } = await inSteps(() => deadLetters.purge({ all: true, reason: 'handler' }))
      assert.deepEqual([purged, await bench().redis.send('XLEN', keys.deadLetters)], [many, 0])
    })
  },
  { concurrency: false },
)

onEachServer('the last possible id', (bench) => {
  test('ends pages, lists of dead letters, counts and searches, and so does the first one', async () => {
    const { millrace, redis } = bench()
    const prefix = freshPrefix()
    const last = ['18446744073709551615', '18446744073709551615'].join('-')
    const notes = stream(`${prefix}:notes`, { page: integer() })
    const group = millrace.group(notes, 'desk')
    await group.create()
    const { deadLetters } = groupKeys(notes.key, 'desk')
    for (const key of [notes.key, deadLetters]) await redis.send('XADD', key, last, 'page', '1')
    const page = await millrace.entryPage(notes.key, { after: last })
    assert.deepEqual(page, { entries: [], next: null })
    const first = await millrace.entryPage(notes.key, { order: 'newest', after: '0-0' })
    assert.deepEqual(first, { entries: [], next: null })
    assert.equal((await millrace.entryPage(notes.key)).entries.length, 1)
    for (const order of ['oldest', 'newest'] as const) {
      assert.equal((await group.deadLetters.list({ order })).letters.length, 1)
    }
    const behind = { order: 'oldest', from: last } as const
    assert.deepEqual(await group.deadLetters.list(behind), { letters: [], next: null })
    const before = { order: 'newest', from: '0-0' } as const
    assert.deepEqual(await group.deadLetters.list(before), { letters: [], next: null })
    await redis.send('XGROUP', 'SETID', notes.key, 'desk', last)
    assert.equal((await group.describe()).lag, 0)
    assert.equal((await group.balance()).undelivered, 0)
    assert.equal((await group.entryState(last)).kind, 'applied')
  })

  test('is no place from which a page is asked for wrongly', async () => {
    for (const after of ['5', '-', '01-0']) {
      await assert.rejects(bench().millrace.entryPage('any', { after }), RangeError)
    }
    for (const count of [0, 1001, 1.5]) {
      await assert.rejects(bench().millrace.entryPage('any', { count }), RangeError)
    }
    const page = await bench().millrace.entryPage('missing', { from: '5', to: '7-3' })
    assert.deepEqual(page, { entries: [], next: null })
  })
})
