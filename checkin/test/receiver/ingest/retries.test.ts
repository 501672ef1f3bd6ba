import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startHttpDropper, type HttpDropper } from '../../../../testing/http-dropper.ts'
import { ndjson } from '../../stage/ndjson-client.ts'
import {
  receiverStage,
  request,
  valid,
  type Answer,
  type Stage,
} from '../../stage/receiver-stage.ts'

const lossShare = 0.3
const tries = 60

/** A stage whose clients lose three of ten answers, by a sequence that is the same in each run. */
async function lossyStage(t: TestContext): Promise<Stage & { readonly lossy: HttpDropper }> {
  const stage = await receiverStage(t)
  let seed = 42
  const isLost = (): boolean => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31 < lossShare
  }
  const lossy = await startHttpDropper(stage.url, isLost)
  t.after(() => lossy.close())
  return { ...stage, lossy }
}

/** As a client that never gives up: the same request again until there is an answer that is none of "in flight". */
async function insist(url: string, init: RequestInit): Promise<Answer> {
  for (let n = 0; n < tries; n += 1) {
    const answer = await request(url, init).catch(() => undefined)
    if (answer !== undefined && answer.status !== 409) return answer
  }
  throw new Error(`No answer in ${tries} tries`)
}

test('single check-ins with keys are entries once, though three of ten answers are lost', async (t) => {
  const { lossy, entries } = await lossyStage(t)
  const count = 400
  const send = async (n: number): Promise<string> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': `"key ${n}"` }
    const body = JSON.stringify({ ...valid, userId: n + 1 })
    const answer = await insist(`${lossy.url}/api/checkin`, { method: 'POST', headers, body })
    assert.equal(answer.status, 202)
    return answer.json?.id ?? ''
  }
  const ids: string[] = []
  for (let n = 0; n < count; n += 20) {
    ids.push(...(await Promise.all(Array.from({ length: 20 }, (_, k) => send(n + k)))))
  }
  assert.ok(lossy.dropped > count * 0.2, `${lossy.dropped} answers were lost`)
  const stored = await entries()
  assert.deepEqual(new Set(stored.map(([id]) => id)), new Set(ids))
  const users = stored.map(([, fields]) => fields[3])
  assert.equal(users.length, count)
  assert.equal(new Set(users).size, count)
})

test('batches and streams with clientIds likewise', async (t) => {
  const { lossy, entries } = await lossyStage(t)
  const items = (n: number) =>
    Array.from({ length: 10 }, (_, k) => ({
      ...valid,
      clientId: `${n}/${k}`,
      userId: n * 10 + k + 1,
    }))
  for (let n = 0; n < 60; n += 1) {
    const isArray = n % 2 === 0
    const type = isArray ? 'application/json' : 'application/x-ndjson'
    const body = isArray ? JSON.stringify(items(n)) : ndjson(...items(n))
    const init = { method: 'POST', headers: { 'content-type': type }, body }
    assert.equal((await insist(`${lossy.url}/api/checkins`, init)).status, 202)
  }
  assert.ok(lossy.dropped > 12, `${lossy.dropped} answers were lost`)
  const users = (await entries()).map(([, fields]) => fields[3])
  assert.equal(users.length, 600)
  assert.equal(new Set(users).size, 600)
})
