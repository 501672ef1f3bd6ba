import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startRedis } from '../../testing/redis-servers.ts'
import { checkHashes } from '../measure/check.ts'
import { openClient, type Client } from '../measure/client.ts'
import { foldCheckins, keys, makeWorkload, type Workload } from '../workload/checkins.ts'

test('reference fold rounds half up and lets the newest check-in win in any order', () => {
  const first = { id: '1000-0', at: 1000, userId: 1, locationId: 7, starRating: 2 }
  const second = { id: '2000-0', at: 2000, userId: 1, locationId: 8, starRating: 5 }
  const third = { id: '1500-0', at: 1500, userId: 2, locationId: 8, starRating: 0 }
  assert.deepEqual(
    Object.fromEntries(foldCheckins([third, second, first])),
    Object.fromEntries([
      [keys.user(2), { numCheckins: '1', lastCheckin: '1500', lastSeenAt: '8' }],
      [keys.user(1), { numCheckins: '2', lastCheckin: '2000', lastSeenAt: '8' }],
      [keys.location(8), { numCheckins: '2', numStars: '5', averageStars: '3' }],
      [keys.location(7), { numCheckins: '1', numStars: '2', averageStars: '2' }],
    ]),
  )
})

test('check accepts the right hashes, whatever other fields they carry', async (t) => {
  const { client, checkins } = await applied(t)
  await client.hSet(keys.user(1), 'firstName', 'Ada')
  await checkHashes(client, foldCheckins(checkins))
})

const wrongEffects: Record<string, (client: Client) => Promise<unknown>> = {
  'an entry applied twice': (client) => client.hIncrBy(keys.user(1), 'numCheckins', 1),
  'an older check-in that won': (client) => client.hSet(keys.user(1), 'lastCheckin', '1'),
  'an average rounded down': (client) => client.hIncrBy(keys.location(1), 'averageStars', -1),
  'a lost hash': (client) => client.del(keys.location(1)),
  'a hash of a user who never checked in': (client) =>
    client.hSet(keys.user(5000), 'numCheckins', '1'),
}

for (const [name, spoil] of Object.entries(wrongEffects)) {
  test(`check catches ${name}`, async (t) => {
    const { client, checkins } = await applied(t)
    await spoil(client)
    await assert.rejects(checkHashes(client, foldCheckins(checkins)), /Wrong result in \d+ places/)
  })
}

/** A server on which every check-in has taken its right effect. */
async function applied(t: TestContext): Promise<{ client: Client; checkins: Workload }> {
  const server = await startRedis()
  t.after(() => server.stop())
  const client = await openClient(server.url)
  t.after(() => client.destroy())
  const checkins = makeWorkload({ count: 5000 })
  for (const [key, fields] of foldCheckins(checkins)) await client.hSet(key, fields)
  return { client, checkins }
}
