/** API keys that end, that are used, and that are revoked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../../../testing/wait-for.ts'
import { hashOf } from '../../../src/access/api-keys.ts'
import { bearer, keysOf } from '../../stage/access-stage.ts'
import { receiverStage, valid } from '../../stage/receiver-stage.ts'

const hour = 3_600_000

test('a key ends at its time, by the clock of the server', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true } })
  const { post, redis, lines } = stage
  const keys = await keysOf(t, stage)
  const owner = { name: 'app', scopes: ['ingest'] } as const
  const long = await keys.create({ ...owner, expiresInMs: hour })
  assert.equal((await post(valid, bearer(long.text))).status, 202)

  // Also one that the receiver knows already: it ends between two looks at the store.
  const short = await keys.create({ ...owner, expiresInMs: 2500 })
  const status = async (): Promise<number> => (await post(valid, bearer(short.text))).status
  await waitFor(async () => (await status()) === 202, { what: 'the key to work' })
  await waitFor(async () => (await status()) === 401, { what: 'the key to end' })
  assert.ok((await keys.now()) >= Date.parse(String(short.apiKey.expiresAt)))
  assert.ok(lines.some((line) => line.includes(`(${short.apiKey.id}) with 401: expired`)))

  // The clock of a receiver may be wrong by hours.
  t.mock.method(Date, 'now', () => performance.timeOrigin + performance.now() + 2 * hour)
  assert.equal((await post(valid, bearer(long.text))).status, 202)

  // A receiver of before asks for sha256, and an end that cannot be read is no key.
  const json = String(await redis.send('HGET', 'ncc:apikeys', long.apiKey.id))
  assert.equal((JSON.parse(json) as { sha256?: string }).sha256, undefined)
  const sha256 = hashOf(long.text).toString('hex')
  const spoilt = JSON.stringify({ ...owner, expiring: { at: 'some day', sha256 } })
  await redis.send('HSET', 'ncc:apikeys', long.apiKey.id, spoilt)
  assert.deepEqual(
    (await keys.list()).map(({ id }) => id),
    [short.apiKey.id],
  )
})

test('the use of a key is noted once a minute, and no request waits for it', async (t) => {
  const stage = await receiverStage(t, { access: { apiKeys: true } })
  const { post, redis, lines } = stage
  const keys = await keysOf(t, stage)
  const owner = { name: 'app', scopes: ['ingest'] } as const
  const used = await keys.create(owner)
  const idle = await keys.create(owner)
  const guess = `${used.text.slice(0, -4)}AAAA`
  assert.equal((await post(valid, bearer(guess))).status, 401)
  assert.deepEqual(
    (await keys.history()).map(({ lastUsedMs }) => lastUsedMs),
    [undefined, undefined],
  )

  const before = await keys.now()
  assert.equal((await post(valid, bearer(used.text))).status, 202)
  const lastUses = async () =>
    new Map((await keys.history()).map(({ id, lastUsedMs }) => [id, lastUsedMs]))
  await waitFor(async () => (await lastUses()).get(used.apiKey.id) !== undefined, { what: 'a use' })
  const first = await lastUses()
  const at = first.get(used.apiKey.id) ?? 0
  assert.ok(at >= before && at <= (await keys.now()), String(at))
  for (let n = 0; n < 20; n += 1) await post(valid, bearer(used.text))
  assert.deepEqual(await lastUses(), first)
  assert.equal(first.get(idle.apiKey.id), undefined)

  // It cannot be noted: told once, and the request is taken.
  await redis.send('DEL', 'ncc:apikeys:used')
  await redis.send('SET', 'ncc:apikeys:used', 'of somebody else')
  for (const { text } of [idle, await keys.create(owner)]) {
    await waitFor(async () => (await post(valid, bearer(text))).status === 202, { what: 'the key' })
  }
  const told = () => lines.filter((line) => line.startsWith('Cannot note that API keys are used'))
  await waitFor(() => told().length > 0, { what: 'a word' })
  assert.equal(told().length, 1)
})

test('revoked keys stay listed, the newest 1,000, and the uses of others are left', async (t) => {
  const stage = await receiverStage(t)
  const { redis } = stage
  const keys = await keysOf(t, stage)
  const [kept, gone] = [await keys.create(named('kept')), await keys.create(named('gone'))]
  for (const { apiKey } of [kept, gone]) await keys.noteUse(apiKey.id)
  assert.equal(await keys.revoke(gone.apiKey.id), true)
  assert.equal(await keys.revoke(gone.apiKey.id), false)
  // A receiver that does not know of it yet.
  await keys.noteUse(gone.apiKey.id)
  assert.deepEqual(await redis.send('HKEYS', 'ncc:apikeys:used'), [kept.apiKey.id])
  const [first, second, ...others] = await keys.history()
  assert.deepEqual(others, [])
  assert.deepEqual([first?.id, first?.revokedMs], [kept.apiKey.id, undefined])
  assert.deepEqual([second?.id, second?.name], [gone.apiKey.id, 'gone'])
  assert.ok(Number(second?.lastUsedMs) <= Number(second?.revokedMs))

  const [record = ''] = (await redis.send('LRANGE', 'ncc:apikeys:revoked', '0', '0')) as string[]
  await redis.send('RPUSH', 'ncc:apikeys:revoked', ...Array.from({ length: 1200 }, () => record))
  assert.equal(await keys.revoke(kept.apiKey.id), true)
  assert.equal(await redis.send('LLEN', 'ncc:apikeys:revoked'), 1000)
  assert.equal((await keys.history()).at(-1)?.id, kept.apiKey.id)
})

test('a key can be revoked while the server is full, and not at all while it could not be listed', async (t) => {
  const stage = await receiverStage(t)
  const { redis } = stage
  const keys = await keysOf(t, stage)
  const [one, two] = [await keys.create(named('one')), await keys.create(named('two'))]
  await redis.send('CONFIG', 'SET', 'maxmemory', '1')
  await assert.rejects(keys.create(named('three')), /OOM/)
  assert.equal(await keys.revoke(one.apiKey.id), true)
  assert.equal((await keys.history()).at(-1)?.id, one.apiKey.id)
  await redis.send('CONFIG', 'SET', 'maxmemory', '0')
  await redis.send('DEL', 'ncc:apikeys:revoked')
  await redis.send('SET', 'ncc:apikeys:revoked', 'of somebody else')
  await assert.rejects(keys.revoke(two.apiKey.id), /WRONGTYPE/)
  assert.equal((await keys.list()).length, 1)
})

const named = (name: string) => ({ name, scopes: ['ingest'] as const })
