import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshPrefix, onEachServer, type Bench } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { takeSnapshot } from '../../src/snapshot/take-snapshot.ts'
import type { GroupSnapshot, StreamSnapshot } from '../../src/snapshot/snapshot.ts'
import { truthOf } from './oracle.ts'

/** What was done to a stream `key` by hand before it is looked at. */
interface Case {
  readonly name: string
  readonly act: (redis: TestClient, key: string) => Promise<unknown>
}

async function append(redis: TestClient, key: string, many: number, from = 1): Promise<void> {
  const ids = Array.from({ length: many }, (_, at) => `${from + at}-0`)
  await Promise.all(ids.map((id) => redis.send('XADD', key, id, 'field', 'value')))
}

const read = (redis: TestClient, key: string, group: string, many: number, consumer = 'c') =>
  redis.send('XREADGROUP', 'GROUP', group, consumer, 'COUNT', String(many), 'STREAMS', key, '>')

/** Ten entries, of which the group has read four and acknowledged two. */
async function halfRead(redis: TestClient, key: string): Promise<void> {
  await redis.send('XGROUP', 'CREATE', key, 'g', '0', 'MKSTREAM')
  await append(redis, key, 10)
  await read(redis, key, 'g', 4)
  await redis.send('XACK', key, 'g', '1-0', '2-0')
}

const cases: readonly Case[] = [
  {
    name: 'an empty stream that never had an entry',
    act: (redis, key) => redis.send('XGROUP', 'CREATE', key, 'g', '$', 'MKSTREAM'),
  },
  {
    name: 'a stream that was emptied',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XTRIM', key, 'MAXLEN', '=', '0')
    },
  },
  { name: 'a group amid the stream', act: halfRead },
  {
    name: 'a group that has read everything',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await read(redis, key, 'g', 100)
    },
  },
  {
    name: 'an undelivered entry that was deleted',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XDEL', key, '7-0')
    },
  },
  {
    name: 'the next entry that was deleted, so that the oldest is another one',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XDEL', key, '5-0', '6-0')
    },
  },
  {
    name: 'all undelivered entries deleted: what is not there does not wait',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XDEL', key, ...[5, 6, 7, 8, 9, 10].map((time) => `${time}-0`))
    },
  },
  {
    name: 'undelivered entries trimmed, and nothing read since',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XTRIM', key, 'MAXLEN', '=', '3')
    },
  },
  {
    name: 'undelivered entries trimmed, and some read since: the lag of the server counts those that are gone',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XTRIM', key, 'MAXLEN', '=', '3')
      await read(redis, key, 'g', 1)
    },
  },
  {
    name: 'an undelivered entry trimmed, and more read since: the lag of the server is less than the length, and wrong',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XTRIM', key, 'MAXLEN', '=', '5')
      await read(redis, key, 'g', 3)
    },
  },
  {
    name: 'undelivered entries trimmed, and all read since',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XTRIM', key, 'MAXLEN', '=', '3')
      await read(redis, key, 'g', 100)
    },
  },
  {
    name: 'entries trimmed that were delivered and are pending',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XTRIM', key, 'MINID', '=', '4-0')
    },
  },
  {
    name: 'a group that was set back amid the stream',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XGROUP', 'SETID', key, 'g', '2-0')
    },
  },
  {
    name: 'a group that was made amid the stream',
    act: async (redis, key) => {
      await append(redis, key, 10)
      await redis.send('XGROUP', 'CREATE', key, 'g', '6-0')
    },
  },
  {
    name: 'a group that was made at an id that has no entry',
    act: async (redis, key) => {
      await append(redis, key, 10)
      await redis.send('XDEL', key, '6-0')
      await redis.send('XGROUP', 'CREATE', key, 'g', '6-0')
    },
  },
  {
    name: 'a group at the end, and entries that came since',
    act: async (redis, key) => {
      await append(redis, key, 10)
      await redis.send('XGROUP', 'CREATE', key, 'g', '$')
      await append(redis, key, 3, 11)
    },
  },
  {
    name: 'a group that was set ahead of the stream',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XGROUP', 'SETID', key, 'g', '99-0')
    },
  },
  {
    name: 'a consumer that never read, and one that was claimed from',
    act: async (redis, key) => {
      await halfRead(redis, key)
      await redis.send('XGROUP', 'CREATECONSUMER', key, 'g', 'idle one')
      await redis.send('XCLAIM', key, 'g', 'other', '0', '3-0')
    },
  },
  {
    name: 'ids as large as ids can be',
    act: async (redis, key) => {
      const last = '18446744073709551615'
      await redis.send('XGROUP', 'CREATE', key, 'g', '0', 'MKSTREAM')
      await redis.send('XADD', key, `9007199254740993-${last}`, 'field', 'value')
      await redis.send('XADD', key, `9007199254740994-0`, 'field', 'value')
      await redis.send('XADD', key, `${last}-${last}`, 'field', 'value')
      await read(redis, key, 'g', 1)
    },
  },
]

async function snapshotOf({ millrace }: Bench, key: string): Promise<StreamSnapshot> {
  const { streams } = await takeSnapshot(millrace, { streams: [key] })
  assert.deepEqual(
    streams.map((stream) => stream.key),
    [key],
  )
  return streams[0]!
}

/** Holds what a snapshot says of a group against the truth. */
async function compare(bench: Bench, key: string, name: string): Promise<GroupSnapshot> {
  const stream = await snapshotOf(bench, key)
  const group = stream.groups.find((one) => one.name === name)
  assert.ok(group, `group ${name} is there`)
  const truth = await truthOf(bench.redis, key, name)
  const { length, firstEntryId, lastEntryId } = stream
  assert.deepEqual(
    {
      ...{ length, firstEntryId, lastEntryId },
      lag: group.lag,
      oldestUndeliveredId: group.oldestUndeliveredId,
      pending: group.pending,
      oldestPendingId: group.oldestPending?.id ?? null,
      consumers: Object.fromEntries(
        group.consumers.map((one) => [one.name, [one.pending, one.oldestPending?.id ?? null]]),
      ),
      deadLetters: group.deadLetters,
    },
    truth,
  )
  assert.equal(group.lagDoubt, null)
  return group
}

onEachServer('a snapshot', (bench) => {
  for (const { name, act } of cases) {
    for (const wrap of [(key: string) => key, (key: string) => `{${key}}:orders`]) {
      test(`tells the truth about ${name}, ${wrap('k')}`, async () => {
        const key = wrap(freshPrefix())
        await act(bench().redis, key)
        await compare(bench(), key, 'g')
      })
    }
  }
})
