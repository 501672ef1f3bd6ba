/** What is checked of hashes and rankings, and of the position of a reader without a group, before the first write. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { count, integer, projection, stream, sum, text } from 'millrace'
import { Gate } from '../../src/apply/gate.ts'
import type { Settled } from '../../src/apply/settled.ts'
import { readerKeys } from '../../src/redis/keys.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { freshPrefix, onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { unchangedUnder } from '../stage/guard-stage.ts'
import { openConnection, urlWithRights } from '../stage/connections.ts'

/** A reader of sales, each of which counts in a hash `<prefix>:sales:alone:<shop>`, beside the keys of the reader. */
async function readerStage(t: TestContext, { server, redis }: Bench, ranking = 'top') {
  const prefix = freshPrefix()
  const sales = stream(`${prefix}:sales`, { shop: text(), cents: integer() })
  const hashes = `${prefix}:sales:alone`
  const shops = projection(
    `${hashes}:{shop}`,
    { sales: count(), cents: sum('cents') },
    { rankings: { cents: `${hashes}:${ranking}` } },
  )
  const keys = { ...readerKeys(sales.key, 'alone'), position: `${hashes}:position` }
  const as = async (...rights: readonly string[]) => {
    const url = rights.length === 0 ? server.url : await urlWithRights({ server, redis }, ...rights)
    const gate = new Gate(await openConnection(t, url), plansOf([shops], sales))
    return (from: string, to: string, settled: readonly Settled[]) =>
      gate.advanceAndApply(keys, { reader: 'alone', from, to }, settled)
  }
  const unchanged = unchangedUnder(redis, prefix)
  return { prefix, hashes, keys, redis, as, advance: await as(), unchanged }
}

function sale(id: string, shop: string): Settled {
  return { kind: 'apply', id, entry: { id, values: { shop, cents: 7 }, unknown: undefined } }
}

const letter: Settled = { kind: 'dead-letter', id: '1-0', reason: 'handler', error: 'no' }

onOldestAndNewest('the gate of a reader', (bench) => {
  test('is passed once from each position', async (t) => {
    const { hashes, redis, advance, unchanged } = await readerStage(t, bench())
    assert.equal((await advance('', '1-0', [sale('1-0', 'a')])).kind, 'applied')
    for (const from of ['', '0-9', '2-0']) {
      const again = await unchanged(() => advance(from, '2-0', [sale('2-0', 'a')]))
      assert.deepEqual(again, { kind: 'moved', position: '1-0' })
    }
    await redis.send('DEL', `${hashes}:position`)
    const gone = await unchanged(() => advance('1-0', '2-0', [sale('2-0', 'a')]))
    assert.deepEqual(gone, { kind: 'moved', position: '' })
  })

  test('stays closed while one hash of the batch cannot take its row', async (t) => {
    const { hashes, redis, advance, unchanged } = await readerStage(t, bench())
    await redis.send('SET', `${hashes}:b`, 'text')
    const settled = [sale('1-0', 'a'), sale('2-0', 'b')]
    const answer = await unchanged(() => advance('', '2-0', settled))
    const refusals = new Map([[`${hashes}:b`, { code: 'wrong-type', field: '' }]])
    assert.deepEqual(answer, { kind: 'refused', refusals })
  })

  test('stays closed while its dead letters have no place', async (t) => {
    const { redis, keys, advance, unchanged } = await readerStage(t, bench())
    await redis.send('SET', keys.deadLetters, 'text')
    const settled = [letter, sale('2-0', 'a')]
    // Told by its key: it was looked at before the first write, which would fail as well.
    const message = new RegExp(`"${keys.deadLetters}"`)
    await assert.rejects(
      unchanged(() => advance('', '2-0', settled)),
      { message },
    )
  })

  test('stays closed where the position may not be moved, or no dead letter written', async (t) => {
    const { as, unchanged } = await readerStage(t, bench())
    for (const right of ['set', 'xadd']) {
      const advance = await as('~*', '+@all', `-${right}`)
      const refused = unchanged(() => advance('', '2-0', [letter, sale('2-0', 'a')]))
      await assert.rejects(refused, { message: new RegExp(`right to ${right.toUpperCase()},`) })
    }
  })
})

onOldestAndNewest('effects', (bench) => {
  test('are refused for a hash whose key the script or a ranking has', async (t) => {
    const { hashes, redis, keys, advance, unchanged } = await readerStage(t, bench())
    for (const shop of ['position', 'read', 'dead', 'top']) {
      const answer = await unchanged(() => advance('', '1-0', [sale('1-0', shop)]))
      const refusals = new Map([[`${hashes}:${shop}`, { code: 'reserved-key', field: '' }]])
      assert.deepEqual(answer, { kind: 'refused', refusals })
    }
    assert.equal(await redis.send('EXISTS', keys.ledger), 0)
  })

  test('are not begun where hashes or rankings may not be written', async (t) => {
    const { prefix, hashes, as, unchanged } = await readerStage(t, bench())
    const others = ['', ':alone:dead', ':alone:read', ':alone:position']
    // A script may be called with keys that its commands may not touch.
    const calls = '(+eval +evalsha ~*)'
    const granted = ['+@all', calls, ...others.map((key) => `~${prefix}:sales${key}`)]
    for (const [name, ...rights] of [
      ['HSET', `~${hashes}:top`, `%R~${hashes}:a`],
      ['ZADD', `%R~${hashes}:top`, `~${hashes}:a`],
    ] as const) {
      const advance = await as(...granted, ...rights)
      const refused = unchanged(() => advance('', '1-0', [sale('1-0', 'a')]))
      await assert.rejects(refused, { message: new RegExp(`right to ${name},`) })
    }
    // Refused for their hash, all entries there are would become dead letters.
    const advance = await as(...granted, `~${hashes}:top`, `%W~${hashes}:a`)
    const denied = unchanged(() => advance('', '1-0', [sale('1-0', 'a')]))
    await assert.rejects(denied, { message: /right to HMGET,/ })
  })

  test('are not begun where a ranking would be a key of the script', async (t) => {
    for (const ranking of ['position', 'read', 'dead']) {
      const { hashes, advance, unchanged } = await readerStage(t, bench(), ranking)
      const refused = unchanged(() => advance('', '1-0', [sale('1-0', 'a')]))
      // There is nothing yet, which any type fits.
      const message = new RegExp(`"${hashes}:${ranking}"`)
      await assert.rejects(refused, { code: 'WRONG_TYPE', message })
    }
  })
})
