/** What the tests of the doctor do to a server, and how they look whether a finding comes and goes. */
import assert from 'node:assert/strict'
import { groupKeys } from 'millrace'
import type { Bench } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { diagnose } from '../../src/doctor/doctor.ts'
import type { Finding } from '../../src/doctor/finding.ts'
import { checkinModel } from '../../src/domain/checkins.ts'

export const model = checkinModel('ncc')
export const { key } = model.checkins
export const name = 'checkinConsumers'
export const { ledger, deadLetters, leases } = groupKeys(key, name)
export const checkin = { userId: 1, locationId: 1, starRating: 5 }

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

export const config =
  (setting: string, value: string): Act =>
  (redis) =>
    redis.send('CONFIG', 'SET', setting, value)

export const all =
  (...acts: readonly Act[]): Act =>
  async (redis, bench) => {
    for (const act of acts) await act(redis, bench)
  }

/** Makes the group, appends check-ins and processes them. */
export const processed =
  (many: number): Act =>
  async (_redis, { millrace }) => {
    const group = millrace.group(model.checkins, name)
    await group.create()
    const additions = Array.from({ length: many }, () => ({ values: checkin }))
    await millrace.appendMany(model.checkins, additions)
    await group.consumer('c', { projections: [model.users, model.locations], drain: true }).run()
  }

export const drained: Act = (redis, bench) => processed(0)(redis, bench)
export const recovered: Act = (_redis, { millrace }) =>
  millrace.group(model.checkins, name).recover()
export const append: Act = (_redis, { millrace }) => millrace.append(model.checkins, checkin)
export const read: Act = (redis) =>
  redis.send('XREADGROUP', 'GROUP', name, 'cli', 'COUNT', '1', 'STREAMS', key, '>')
export const send =
  (...command: string[]): Act =>
  (redis) =>
    redis.send(...command)

/** What the finding says: `npm run groups -- accept-loss`, executed. */
export const accepted: Act = (_redis, { millrace }) =>
  millrace.group(model.checkins, name).acceptLoss({ execute: true })

/** The finding of a check, if it is there. */
export async function found({ millrace }: Bench, check: string): Promise<Finding | undefined> {
  const { findings } = await diagnose(millrace, model, name, quick)
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
