import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'millrace'
import { waitFor } from '../../../../testing/wait-for.ts'
import { checkinModel } from '../../../src/domain/checkins.ts'
import { keyHeader } from '../../../src/receiver/ingest/idempotency-key.ts'
import { createReceiver } from '../../../src/receiver/receiver.ts'
import { collectingLog, receiverStage, request, valid } from '../../stage/receiver-stage.ts'

const json = { 'content-type': 'application/json' }
const withKey = (key: string) => ({ ...json, 'idempotency-key': key })

test('an accepted check-in says what it is, when it came and where its state is told', async (t) => {
  const { post, get } = await receiverStage(t)
  const before = Date.now()
  const answer = await post(valid)
  assert.equal(answer.status, 202)
  const { id = '', status, receivedAt = '' } = answer.json as Record<string, string>
  assert.equal(status, 'accepted')
  assert.equal(Date.parse(receivedAt), Number(id.split('-')[0]))
  assert.ok(Math.abs(Date.parse(receivedAt) - before) < 60_000)
  assert.equal(answer.headers.get('location'), `/api/checkins/${id}`)
  assert.equal(answer.headers.get('idempotent-replayed'), null)
  assert.equal((await get(`/api/checkins/${id}`)).status, 200)
})

test('the same key and check-in get the same answer and one entry', async (t) => {
  const { post, entries } = await receiverStage(t)
  const first = await post(valid, withKey('"8e03978e-40d5"'))
  // Quotes, order, spelling and fields that are ignored make no other check-in.
  const bodies = [
    JSON.stringify(valid),
    '{"starRating":4.0,"locationId":171,"userId":7,"note":"again"}',
  ]
  for (const key of ['"8e03978e-40d5"', '8e03978e-40d5']) {
    for (const body of bodies) {
      const again = await post(body, withKey(key))
      assert.equal(again.status, 202)
      assert.deepEqual(again.json, first.json)
      assert.equal(again.headers.get('location'), first.headers.get('location'))
      assert.equal(again.headers.get('idempotent-replayed'), 'true')
    }
  }
  assert.equal((await entries()).length, 1)
  assert.notEqual((await post(valid, withKey('other'))).json?.id, first.json?.id)
  assert.equal((await entries()).length, 2)
})

test('the same key with another check-in is refused with 422', async (t) => {
  const { post, entries } = await receiverStage(t)
  await post(valid, withKey('a'))
  const answer = await post({ ...valid, starRating: 5 }, withKey('a'))
  assert.equal(answer.status, 422)
  assert.equal(answer.json?.type, '/problems/idempotency-key-reused')
  // A body that is not valid uses no key up.
  assert.equal((await post({ ...valid, starRating: 9 }, withKey('b'))).status, 422)
  assert.equal((await post(valid, withKey('b'))).headers.get('idempotent-replayed'), null)
  assert.equal((await entries()).length, 2)
})

test('a key that is not one text of 1 to 255 visible characters is refused with 400', async (t) => {
  const { post, entries } = await receiverStage(t)
  const wrong = ['', '""', '"a', 'a"b', 'a b', 'a,b', '"a", "b"', '"a";x=1', 'ü', 'x'.repeat(256)]
  for (const key of wrong) {
    const answer = await post(valid, withKey(key))
    assert.equal(answer.status, 400, key)
    assert.equal(answer.json?.type, '/problems/idempotency-key-malformed')
  }
  assert.deepEqual(await entries(), [])
  for (const key of ['x'.repeat(255), `"${'x'.repeat(255)}"`, '"a b, \\"c\\" \\\\"', '!#+-~']) {
    assert.equal((await post(valid, withKey(key))).status, 202, key)
  }
})

test('a key in quotes is the text between them', () => {
  const key = (text: string) => keyHeader({ 'idempotency-key': text })
  assert.deepEqual(key('"a \\"b\\" \\\\"'), { kind: 'key', key: 'a "b" \\' })
  assert.deepEqual(key('"abc"'), key('abc'))
  assert.deepEqual(keyHeader({}), { kind: 'none' })
})

test('a key whose request has no answer yet is refused with 409, and is free afterwards', async (t) => {
  const { server, post, entries, appendsBegun } = await receiverStage(t)
  await post(valid)
  server.pause()
  const first = post(valid, withKey('a'))
  await waitFor(() => appendsBegun() === 2, { what: 'the first one to be in flight' })
  const second = await post(valid, withKey('a'))
  assert.equal(second.status, 409)
  assert.equal(second.json?.type, '/problems/idempotency-key-in-flight')
  assert.equal(second.headers.get('retry-after'), '1')
  server.resume()
  const { json } = await first
  const third = await post(valid, withKey('a'))
  assert.deepEqual(third.json, json)
  assert.equal((await entries()).length, 2)
})

test('after an unknown outcome the key tells what became of the check-in', async (t) => {
  const { proxy, post, entries } = await receiverStage(t)
  // The server knows the script from then on.
  const other = await post(valid, withKey('other'))
  proxy.cutBeforeReply('once')
  const lost = await post(valid, withKey('a'))
  assert.equal(lost.status, 503)
  assert.equal(lost.json?.type, '/problems/outcome-unknown')
  assert.equal(proxy.cuts, 1)
  const again = await waitFor(
    async () => {
      const answer = await post(valid, withKey('a'))
      return answer.status === 202 && answer
    },
    { what: 'an answer' },
  )
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.deepEqual(
    (await entries()).map(([id]) => id),
    [other.json?.id, again.json?.id],
  )
})

test('keys are remembered up to a number, and further ones get a 503', async (t) => {
  const { post, entries } = await receiverStage(t, { idempotency: { keysMax: 2 } })
  for (const key of ['a', 'b', 'a']) assert.equal((await post(valid, withKey(key))).status, 202)
  const refused = await post(valid, withKey('c'))
  assert.equal(refused.status, 503)
  assert.equal(refused.json?.type, '/problems/idempotency-keys-full')
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
  assert.equal((await post(valid)).status, 202)
  assert.equal((await entries()).length, 3)
})

test('two receivers race for a thousand keys, and each is one entry', async (t) => {
  const stage = await receiverStage(t)
  const { log } = collectingLog()
  const model = checkinModel('ncc')
  const millrace = await connect({ url: stage.server.url })
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const other = createReceiver({ millrace, model, group, log })
  const url = await other.listen({ host: '127.0.0.1', port: 0 })
  t.after(async () => {
    await other.close()
    await millrace.close()
  })
  const body = JSON.stringify(valid)
  let replayed = 0
  const race = async (n: number): Promise<void> => {
    const init = { method: 'POST', headers: withKey(`key-${n}`), body }
    const answers = await Promise.all([
      request(`${stage.url}/api/checkin`, init),
      request(`${url}/api/checkin`, init),
    ])
    const [one, two] = answers
    assert.deepEqual([one.status, two.status], [202, 202])
    assert.equal(one.json?.id, two.json?.id)
    replayed += answers.filter(({ headers }) => headers.has('idempotent-replayed')).length
  }
  for (let n = 0; n < 1000; n += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, k) => race(n + k)))
  }
  assert.equal(replayed, 1000)
  assert.equal((await stage.entries()).length, 1000)
})
