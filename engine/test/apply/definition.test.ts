/** A changed projection is noticed before it is mixed into the hashes of the old one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  average,
  count,
  entryTime,
  integer,
  latest,
  projection,
  stream,
  sum,
  text,
  type Projection,
} from 'millrace'
import { groupKeys } from 'millrace/operate'
import { definitionOf } from '../../src/apply/definition.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'

const fields = { shop: text(), cents: integer(), note: text() }
const orders = stream('orders', fields)
const digestOf = (...projections: Projection<keyof typeof fields>[]): string =>
  definitionOf(plansOf(projections, orders))

test('a definition is the same in any order, and without the rankings', () => {
  const mean = average('cents', 'n')
  const one = projection('p:{shop}', { n: count(), cents: sum('cents'), mean })
  const turned = projection('p:{shop}', { mean, cents: sum('cents'), n: count() })
  const ranked = projection('p:{shop}', one.fields as never, { rankings: { n: 'top' } as never })
  const other = projection('q:{note}', { at: latest(entryTime()) })
  assert.equal(digestOf(one), digestOf(turned))
  assert.equal(digestOf(one), digestOf(ranked))
  assert.equal(digestOf(one, other), digestOf(other, one))
})

test('a definition is another one with any change of what stands where', () => {
  const digests = [
    projection('p:{shop}', { n: count() }),
    projection('q:{shop}', { n: count() }),
    projection('p:{note}', { n: count() }),
    projection('p:{shop}', { m: count() }),
    projection('p:{shop}', { n: sum('cents') }),
    projection('p:{shop}', { n: count(), cents: sum('cents') }),
    projection('p:{shop}', { n: latest('cents') }),
    projection('p:{shop}', { n: latest('note') }),
    projection('p:{shop}', { n: latest(entryTime()) }),
  ].map((one) => digestOf(one))
  assert.equal(new Set(digests).size, digests.length)
})

onEachServer('a changed projection', (bench) => {
  async function freshOrders() {
    const { millrace, redis } = bench()
    const prefix = freshPrefix()
    const declared = stream(`${prefix}:orders`, { shop: integer(), cents: integer() })
    const group = millrace.group(declared, 'g')
    await group.create()
    const template = `${prefix}:shops:{shop}` as const
    const old = projection(template, { n: count() })
    const changed = projection(template, { n: count(), cents: sum('cents') })
    const append = (): Promise<string> => millrace.append(declared, { shop: 1, cents: 5 })
    const held = () => redis.hash(`${prefix}:shops:1`)
    return { declared, group, old, changed, append, held, prefix }
  }

  test('is refused before its first effect, pulled and pushed down, and the old one goes on', async () => {
    const { group, old, changed, append, held } = await freshOrders()
    await append()
    assert.equal(await group.foldedBy([old]), 'unknown')
    await group.consumer('one', { projections: [old], drain: true }).run()
    assert.deepEqual(
      [await group.foldedBy([old]), await group.foldedBy([changed])],
      ['these', 'others'],
    )
    await append()
    for (const mode of ['pull', 'push-down'] as const) {
      const consumer = group.consumer('two', { projections: [changed], mode, drain: true })
      await assert.rejects(consumer.run(), {
        code: 'PROJECTION_CHANGED',
        message: /Use a group of another name/,
      })
    }
    assert.deepEqual(await held(), { n: '1' })
    // The name is free again at once.
    await group.consumer('two', { projections: [old], drain: true }).run()
    assert.deepEqual(await held(), { n: '2' })
  })

  test('is refused whoever comes first, where two start side by side', async () => {
    const { group, old, changed, append, held } = await freshOrders()
    await append()
    const runs = await Promise.allSettled([
      group.consumer('one', { projections: [old], drain: true }).run(),
      group.consumer('two', { projections: [changed], drain: true }).run(),
    ])
    assert.deepEqual(runs.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const all = { n: '1', cents: '5' }
    assert.deepEqual(await held(), runs[0].status === 'fulfilled' ? { n: '1' } : all)
  })

  test('is taken for the definition where none stands in the ledger', async () => {
    const { declared, group, old, changed, append } = await freshOrders()
    await append()
    await group.consumer('one', { projections: [old], drain: true }).run()
    await bench().redis.send('HDEL', groupKeys(declared.key, 'g').ledger, 'definition')
    await group.consumer('one', { projections: [changed], drain: true }).run()
    await assert.rejects(group.consumer('one', { projections: [old], drain: true }).run(), {
      code: 'PROJECTION_CHANGED',
    })
  })

  test('is refused for a reader without a group', async () => {
    const { declared, old, changed, append, held, prefix } = await freshOrders()
    const place = { name: 'alone', positionKey: `${prefix}:position`, drain: true }
    await append()
    await bench()
      .millrace.reader(declared, { ...place, projections: [old] })
      .run()
    await append()
    const reader = bench().millrace.reader(declared, { ...place, projections: [changed] })
    await assert.rejects(reader.run(), { code: 'PROJECTION_CHANGED' })
    assert.deepEqual(await held(), { n: '1' })
  })
})
