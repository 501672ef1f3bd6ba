/** Dead letters are looked at and removed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { freshGroup } from '../stage/fixture.ts'

onEachServer('list and purge of dead letters', (bench) => {
  test('show pages in both orders, by reason, and a letter by either id', async () => {
    const fixture = await freshGroup(bench())
    const { redis, dead } = fixture
    const { deadLetters } = fixture.group
    assert.deepEqual(await deadLetters.list(), { letters: [], next: null })
    for (let n = 1; n <= 250; n += 1) {
      const reason = n % 50 === 0 ? 'lost' : 'handler'
      const about = ['id', `${n}-1`, 'reason', reason, 'error', '', 'consumer', 'one']
      const rest = ['time', n, 'attempts', 5, 'field:', 'field:x', 'field:id', 'packed']
      await redis.send('XADD', dead, `${n}-0`, ...about, ...rest)
    }
    const first = await deadLetters.list({ count: 2 })
    assert.deepEqual(first.letters[0], {
      letterId: '250-0',
      entryId: '250-1',
      reason: 'lost',
      error: '',
      consumer: 'one',
      time: 250,
      attempts: 5,
      fields: [
        ['', 'field:x'],
        ['id', 'packed'],
      ],
      isPacked: false,
    })
    assert.equal(first.next, '249-0')
    const second = await deadLetters.list({ from: '249-0', count: 248 })
    assert.equal(second.letters.length, 248)
    assert.equal(second.next, null)
    const lost = await deadLetters.list({ order: 'oldest', reason: 'lost', from: '50-0', count: 3 })
    assert.deepEqual(
      lost.letters.map(({ letterId }) => letterId),
      ['100-0', '150-0', '200-0'],
    )
    assert.equal(lost.next, '200-0')
    const found = await deadLetters.find('7-0', '8-1', '999-0')
    assert.deepEqual(
      found.map(({ letterId }) => letterId),
      ['7-0', '8-0'],
    )
    await assert.rejects(deadLetters.list({ count: 0 }), RangeError)
    await assert.rejects(deadLetters.list({ from: '+' }), RangeError)
  })

  test('purge by id, by reason, by age, and all, with the count', async () => {
    const fixture = await freshGroup(bench())
    const { redis, dead } = fixture
    const { deadLetters } = fixture.group
    const [seconds] = (await redis.send('TIME')) as string[]
    const now = Number(seconds) * 1000
    for (let n = 1; n <= 240; n += 1) {
      const reason = n % 2 === 0 ? 'lost' : 'handler'
      const time = n <= 220 ? 1000 : now
      await redis.send('XADD', dead, `${n}-0`, 'id', `${n}-1`, 'reason', reason, 'time', time)
    }
    const hour = 3_600_000
    const selection = { all: true, reason: 'lost', olderThanMs: hour } as const
    assert.equal(await deadLetters.count(selection), 110)
    assert.deepEqual(await deadLetters.purge({ ids: ['1-0', '2-1', '999-0'] }), {
      purged: 2,
      gone: 1,
      ambiguous: 0,
    })
    assert.equal((await deadLetters.purge(selection)).purged, 109)
    assert.equal((await deadLetters.purge({ all: true, reason: 'lost' })).purged, 10)
    assert.equal((await deadLetters.purge({ all: true, olderThanMs: hour })).purged, 109)
    assert.equal((await deadLetters.purge({ all: true })).purged, 10)
    assert.equal((await deadLetters.purge({ all: true })).purged, 0)
    assert.equal(await redis.send('XLEN', dead), 0)
  })
})
