/** Budgets are in bytes, too: large entries are taken few at a time, whoever takes them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { count, integer, projection, stream } from 'millrace'
import { EntrySizes } from '../../src/redis/entry-sizes.ts'
import { InFlight } from '../../src/apply/in-flight.ts'
import { freshPrefix, onEachServer, type Bench } from '../../../testing/on-each-server.ts'

/** A stream whose entries hold a field that nobody declared, of these sizes, and its group. */
async function sizedGroup({ millrace }: Bench, sizes: readonly number[]) {
  const prefix = freshPrefix()
  const notes = stream(`${prefix}:notes`, { page: integer() })
  const pages = projection(`${prefix}:pages:{page}`, { notes: count() })
  const group = millrace.group(notes, 'desk')
  await group.create()
  for (const [at, size] of sizes.entries()) {
    const extra = { body: 'x'.repeat(size) }
    await millrace.append(notes, { page: 1 }, { id: `${at + 1}-0`, extra })
  }
  return { notes, group, projections: [pages], pageKey: `${prefix}:pages:1` }
}

const many = (entries: number, size: number): number[] =>
  Array.from({ length: entries }, () => size)

onEachServer('large entries', (bench) => {
  /** Drains by push-down; resolves to the sizes of the entries of each call. */
  async function pushDown(sizes: readonly number[]): Promise<number[][]> {
    const { group, projections, pageKey } = await sizedGroup(bench(), sizes)
    const calls: number[][] = []
    let taken = 0
    const folded = ({ applied }: { applied: number }): void => {
      calls.push(sizes.slice(taken, taken + applied))
      taken += applied
    }
    const options = { projections, mode: 'push-down', drain: true } as const
    await group.consumer('one', { ...options, observer: { folded } }).run()
    assert.equal((await bench().redis.hash(pageKey)).notes, String(sizes.length))
    return calls
  }

  // The budget of 2 ms is half a megabyte; a step that is sized by the one before may go a bit beyond.
  const bytesMax = 600_000
  const sum = (sizes: readonly number[]): number => sizes.reduce((all, size) => all + size, 0)
  const isWithin = (call: readonly number[]): boolean => call.length === 1 || sum(call) <= bytesMax

  for (const size of [10_000, 100_000, 1_000_000]) {
    test(`are pushed down within the budget, at ${size} bytes each`, async () => {
      const calls = await pushDown(many(Math.min(60, 12_000_000 / size), size))
      assert.ok(calls.every(isWithin), `entries a call: ${calls.map((call) => call.length).join()}`)
    })
  }

  test('are pushed down within the budget, too, where they come behind many small ones', async () => {
    const calls = await pushDown([...many(600, 10), ...many(12, 300_000)])
    assert.ok(calls.every(isWithin), `bytes a call: ${calls.map(sum).join()}`)
  })

  test('surprise push-down by one step of the calls on their way where small ones come behind them', async () => {
    const calls = await pushDown([...many(500, 10), ...many(80, 100_000), ...many(100, 10)])
    const surprised = calls.filter((call) => !isWithin(call))
    assert.ok(surprised.length <= 2, `bytes a call: ${calls.map(sum).join()}`)
    assert.ok(surprised.every((call) => sum(call) <= 64 * 100_000))
  })

  // What a read brings; and 64 MB in flight.
  const readMax = 1_100_000

  test('are read, claimed and read again by their size', async () => {
    const sizes = many(60, 100_000)
    const { notes, group, projections, pageKey } = await sizedGroup(bench(), sizes)
    const { redis } = bench()
    for (const name of ['dead', 'one']) {
      const place = ['COUNT', '20', 'STREAMS', notes.key, '>']
      await redis.send('XREADGROUP', 'GROUP', 'desk', name, ...place)
    }
    const calls: { how: string; entries: number }[] = []
    const delivered = (entries: readonly unknown[], how: string): void =>
      void calls.push({ how, entries: entries.length })
    const options = { projections, drain: true, claimAfterMs: 50, observer: { delivered } }
    await group.consumer('one', options).run()
    assert.equal((await redis.hash(pageKey)).notes, '60')
    for (const how of ['new', 'pending', 'claimed']) {
      const some = calls.filter((call) => call.how === how).map(({ entries }) => entries)
      assert.equal(sum(some), 20, `${how}: ${some.join()}`)
      const most = how === 'claimed' ? bytesMax : readMax
      assert.ok(Math.max(...some) * 100_000 <= most, `${how}: ${some.join()}`)
    }
  })

  test('are read by their size by a reader without a group', async () => {
    const { notes, projections, pageKey } = await sizedGroup(bench(), many(40, 100_000))
    const calls: number[] = []
    const place = { name: 'alone', positionKey: `${notes.key}:position` }
    const delivered = (entries: readonly unknown[]): void => void calls.push(entries.length)
    const options = { projections, drain: true, observer: { delivered } }
    await bench()
      .millrace.reader(notes, { ...place, ...options })
      .run()
    assert.equal((await bench().redis.hash(pageKey)).notes, '40')
    assert.ok(Math.max(...calls) * 100_000 <= readMax, calls.join())
  })
})

test('what is in flight is bounded in bytes, and claims have as much again', () => {
  const inFlight = new InFlight(1000)
  for (let n = 0; n < 64; n += 1) inFlight.take(`${n}-0`, 1_000_000)
  assert.deepEqual([inFlight.room, inFlight.roomForClaims(100)], [0, 1036])
  for (let n = 64; n < 128; n += 1) inFlight.take(`${n}-0`, 1_000_000)
  assert.equal(inFlight.roomForClaims(100), 0)
  inFlight.release(Array.from({ length: 65 }, (_, n) => `${n}-0`))
  assert.deepEqual([inFlight.room, inFlight.bytes], [937, 63_000_000])
})

test('the size of entries is learnt from what was read, and the largest of the last reads counts', () => {
  const sizes = new EntrySizes()
  assert.equal(sizes.fitting(1000), 1, 'nothing is known')
  sizes.note(1, 10)
  assert.equal(sizes.fitting(1000), 8, 'a few times as many as were read')
  sizes.note(8, 80)
  assert.equal(sizes.fitting(1000), 64)
  sizes.note(64, 640)
  assert.equal(sizes.fitting(1000), 100)
  sizes.note(2, 1000)
  for (let read = 0; read < 8; read += 1) {
    assert.equal(sizes.fitting(1000), 2)
    sizes.note(100, 1000)
  }
  assert.equal(sizes.fitting(1000), 100)
  sizes.note(1, 5000)
  assert.equal(sizes.fitting(1000), 1, 'one that is larger is read alone')
})
