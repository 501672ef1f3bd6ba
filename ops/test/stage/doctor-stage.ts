/** What the tests of the doctor do to a server, and how they look whether a finding comes and goes. */
import assert from 'node:assert/strict'
import { count, integer, projection, stream, sum, type Millrace } from 'millrace'
import { groupKeys } from 'millrace/operate'
import type { Bench } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { plainLog } from '../../src/command/log.ts'
import { placeOf, type Place } from '../../src/place/place.ts'
import { diagnose } from '../../src/doctor/doctor.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { noKnowledge, plainWords, type Service } from '../../src/service.ts'

/** A stream of orders that are counted by customer and by product. */
export const model = {
  orders: stream('shop:orders', {
    customerId: integer(1),
    productId: integer(1),
    stars: integer(0, 5),
  }),
  customers: projection('shop:customers:{customerId}', { orders: count() }),
  products: projection('shop:products:{productId}', { orders: count(), stars: sum('stars') }),
}
export const { key } = model.orders
export const name = 'desk'
export const { ledger, deadLetters, leases } = groupKeys(key, name)
export const order = { customerId: 1, productId: 1, stars: 5 }

/** Looks soon again. */
export const quick = { everyMs: 20 }

export type Act = (redis: TestClient, bench: Bench) => Promise<unknown>

export interface Case {
  readonly check: string
  readonly severity: string
  readonly cause: Act
  readonly what: RegExp
  /** What the remedy says. */
  readonly advice?: RegExp
  readonly remedy: Act
}

const service: Service = {
  program: 'npx millrace',
  words: plainWords,
  knowledge: noKnowledge,
  connect: () => Promise.reject(new Error('it is connected')),
  openLog: plainLog,
}

/** The place of the commands: the group of the stream of orders. */
export const placeAt = (millrace: Millrace): Place => placeOf(service, {}, { millrace, key, name })

export const config =
  (setting: string, value: string): Act =>
  (redis) =>
    redis.send('CONFIG', 'SET', setting, value)

export const all =
  (...acts: readonly Act[]): Act =>
  async (redis, bench) => {
    for (const act of acts) await act(redis, bench)
  }

/** Makes the group, appends entries and processes them. */
export const processed =
  (many: number): Act =>
  async (_redis, { millrace }) => {
    const group = millrace.group(model.orders, name)
    await group.create()
    const additions = Array.from({ length: many }, () => ({ values: order }))
    await millrace.appendMany(model.orders, additions)
    await group.consumer('c', { projections: [model.customers, model.products], drain: true }).run()
  }

export const drained: Act = (redis, bench) => processed(0)(redis, bench)
export const recovered: Act = (_redis, { millrace }) => millrace.group(model.orders, name).recover()
export const append: Act = (_redis, { millrace }) => millrace.append(model.orders, order)
export const read: Act = (redis) =>
  redis.send('XREADGROUP', 'GROUP', name, 'cli', 'COUNT', '1', 'STREAMS', key, '>')
export const send =
  (...command: string[]): Act =>
  (redis) =>
    redis.send(...command)

/** What the finding says: `groups accept-loss`, executed. */
export const accepted: Act = (_redis, { millrace }) =>
  millrace.group(model.orders, name).acceptLoss({ execute: true })

/** The finding of a check, if it is there. */
export async function found({ millrace }: Bench, check: string): Promise<Finding | undefined> {
  const { findings } = await diagnose(placeAt(millrace), quick)
  return findings.find((finding) => finding.check === check)
}

/** Brings the cause about, sees the finding, applies the remedy, and sees it gone. */
export async function provoke(bench: Bench, { check, severity, ...acts }: Case): Promise<void> {
  const { redis } = bench
  await redis.send('FLUSHALL')
  if (check !== 'group-not-created') assert.equal(await found(bench, check), undefined)
  await acts.cause(redis, bench)
  const finding = await found(bench, check)
  assert.equal(finding?.severity, severity)
  assert.match(finding.what, acts.what)
  if (acts.advice !== undefined) assert.match(finding.remedy, acts.advice)
  assert.ok(finding.why !== '' && finding.remedy !== '')
  await acts.remedy(redis, bench)
  assert.equal(await found(bench, check), undefined)
}
