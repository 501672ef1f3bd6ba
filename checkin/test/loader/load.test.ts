import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { CommandError } from 'millrace-ops/command'
import { indexKeys } from '../../src/loader/indexes.ts'
import { beyondInWords, load } from '../../src/loader/load.ts'
import type { Stock } from '../../src/loader/stock.ts'
import { data, group, long, onReplace } from '../stage/small-data.ts'

onOldestAndNewest('load', (bench) => {
  test('load fills stream, hashes and group', async () => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    const removed = await load(millrace, data, { model, group })
    assert.deepEqual(removed, { checkins: 0, users: 0, locations: 0, deadLetters: 0 })
    assert.deepEqual(await redis.send('XRANGE', model.checkins.key, '-', '+'), [
      ['5-0', ['userId', '1', 'locationId', '1', 'starRating', '0', 'comment', 'long']],
      ['5-7', ['userId', '2', 'locationId', '1', 'starRating', '5']],
    ])
    assert.deepEqual(await redis.hash(model.userKey(1)), {
      id: '1',
      firstName: 'Añ\u0000\r\n',
      isNew: 'true',
      numCheckins: '2',
      lastCheckin: '7',
      lastSeenAt: '1',
    })
    assert.equal((await redis.hash(model.locationKey(1))).location, '-9.1,38.7')
    const description = await millrace.group(model.checkins, group).describe()
    assert.equal(description.lastDeliveredId, '0-0')
    assert.equal(description.lag, 2)
  })

  test('load of more than one batch writes everything and tells how far it is', async () => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    let written = 0
    await load(millrace, long, { model, group, onWritten: (count) => (written += count) })
    assert.equal(written, 6500)
    assert.equal(await redis.send('XLEN', model.checkins.key), 3500)
    assert.equal((await redis.hash(model.userKey(1500))).id, '1500')
    assert.equal((await redis.hash(model.locationKey(1500))).id, '1500')
  })

  test('load without check-ins leaves an empty stream with its group', async () => {
    const { millrace } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, { ...data, checkins: [] }, { model, group })
    assert.equal((await millrace.group(model.checkins, group).describe()).streamLength, 0)
  })

  test('load takes away what was there, and nothing else', async () => {
    const { millrace, redis } = bench()
    const prefix = freshPrefix()
    const model = checkinModel(prefix)
    const { key } = model.checkins
    await load(millrace, long, { model, group })
    await redis.send('HSET', model.userKey(1), '@latest', '9-9')
    await redis.send('SET', model.positionKey, '9-9')
    for (const name of [group, 'others', 'checkinprocessor']) {
      await redis.send('XADD', `${key}:${name}:dead`, '*', 'reason', 'undecodable')
    }
    const strangers = [`${prefix}:users:1:friends`, `${prefix}:users:x`, `${prefix}:usersById`]
    for (const stranger of strangers) await redis.send('HSET', stranger, 'a', 'b')
    await redis.send('RPUSH', `${prefix}:users:9999`, 'a list')

    const removed = await load(millrace, data, { model, group, onReplace })

    assert.deepEqual(removed, { checkins: 3500, users: 1500, locations: 1500, deadLetters: 3 })
    const left = (await redis.send('KEYS', `${prefix}:*`)) as string[]
    const own = [key, model.userKey(1), model.userKey(2), model.locationKey(1)]
    const derived = [...indexKeys(model), groupKeys(key, group).ledger]
    assert.deepEqual(left.sort(), [...own, ...derived, ...strangers, `${prefix}:users:9999`].sort())
    assert.equal((await redis.hash(model.userKey(1)))['@latest'], undefined)
  })

  for (const [where, at] of [
    ['the users', 1],
    ['the locations', 1501],
    ['the check-ins', 4000],
  ] as const) {
    test(`load that dies amid ${where} leaves no stream, and the next one repairs it`, async () => {
      const { millrace, redis } = bench()
      const prefix = freshPrefix()
      const model = checkinModel(prefix)
      await load(millrace, data, { model, group })
      let written = 0
      const dies = (count: number): void => {
        written += count
        if (written === at) throw new Error('killed')
      }
      const replacing = load(millrace, long, { model, group, onReplace, onWritten: dies })
      await assert.rejects(replacing, /killed/)
      const description = millrace.group(model.checkins, group).describe()
      await assert.rejects(description, { code: 'NO_STREAM' })

      await load(millrace, data, { model, group })
      const keys = (await redis.send('KEYS', `${prefix}:*`)) as string[]
      assert.equal(keys.length, 5 + indexKeys(model).length)
      assert.equal((await millrace.group(model.checkins, group).describe()).lag, 2)
    })
  }

  test('load stops when somebody appends to the stream meanwhile, and keeps that entry', async () => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    const { key } = model.checkins
    let appended: Promise<unknown> | undefined
    const onWritten = (): void => void (appended ??= redis.send('XADD', key, '*', 'userId', 1))
    await assert.rejects(load(millrace, long, { model, group, onWritten }), (error) => {
      assert.ok(error instanceof CommandError)
      assert.match(
        error.message,
        /^Cannot finish the load: somebody made "t\d+:checkins" meanwhile/,
      )
      assert.match(error.message, /refuse to run until a load is complete\. Load again$/)
      return true
    })
    await appended
    assert.equal(await redis.send('XLEN', key), 1)
  })
})

onOldestAndNewest('load over what is there', (bench) => {
  async function loaded() {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    return { millrace, redis, model, key: model.checkins.key }
  }

  test('load may replace the data that it brings, processed or not, and other known data', async () => {
    const { millrace, redis, model, key } = await loaded()
    const consumer = millrace.group(model.checkins, group).consumer('c', {
      projections: [model.users, model.locations],
      drain: true,
    })
    await consumer.run()
    assert.equal((await redis.hash(model.userKey(1))).numCheckins, '3')
    await redis.send('XADD', `${key}:${group}:dead`, '*', 'id', '5-7', 'reason', 'refused')
    await load(millrace, data, { model, group })
    assert.equal((await redis.hash(model.userKey(1))).numCheckins, '2')
    await load(millrace, long, { model, group, known: [data] })
    assert.equal(await redis.send('XLEN', key), 3500)
  })

  const strangers: [what: string, make: (stage: Awaited<ReturnType<typeof loaded>>) => unknown][] =
    [
      ['1 user', ({ redis, model }) => redis.send('HSET', model.userKey(424242), 'numCheckins', 1)],
      ['1 user', ({ redis, model }) => redis.send('HSET', model.userKey(2), 'email', 'a@b')],
      [
        '1 location',
        ({ redis, model }) => redis.send('HSET', model.locationKey(1), 'location', '0,0'),
      ],
      ['1 check-in', ({ redis, key }) => redis.send('XADD', key, '*', 'userId', 1)],
      [
        '1 dead letter',
        ({ redis, key }) => redis.send('XADD', `${key}:${group}:dead`, '*', 'id', '9-9'),
      ],
      [
        '1 check-in',
        async ({ redis, key }) => {
          await redis.send('XADD', key, '9-9', 'userId', 1)
          await redis.send('XDEL', key, '9-9')
        },
      ],
      [
        'group "workers", which was lost and can be recovered',
        async ({ millrace, redis, model, key }) => {
          const options = { projections: [model.users], drain: true }
          await millrace.group(model.checkins, group).consumer('c', options).run()
          await redis.send('XGROUP', 'DESTROY', key, group)
        },
      ],
      [
        'group "workers", which was lost and can be recovered',
        async ({ millrace, redis, model, key }) => {
          const options = { projections: [model.users], drain: true }
          await millrace.group(model.checkins, group).consumer('c', options).run()
          await redis.send('DEL', key)
        },
      ],
    ]
  for (const [at, [what, make]] of strangers.entries()) {
    test(`load leaves all as it is where more is there: ${what} (${at + 1})`, async () => {
      const stage = await loaded()
      const { millrace, redis, model } = stage
      await make(stage)
      const keys = (
        (await redis.send('KEYS', `${model.checkins.key.split(':')[0]}:*`)) as string[]
      ).sort()
      await assert.rejects(load(millrace, data, { model, group }), (error) => {
        assert.ok(error instanceof CommandError)
        assert.ok(
          error.message.includes(`there is more than sample data: ${what}. Nothing`),
          error.message,
        )
        assert.match(error.message, /npm run load -- --replace$/)
        assert.equal(error.message.includes('"npx checkin recover"'), what.startsWith('group'))
        return true
      })
      const after = (await redis.send('KEYS', `${model.checkins.key.split(':')[0]}:*`)) as string[]
      assert.deepEqual(after.sort(), keys)
      let told = ''
      const tell = (stock: Stock): Promise<void> => {
        told = beyondInWords(stock)
        return Promise.resolve()
      }
      await load(millrace, data, { model, group, onReplace: tell })
      assert.equal(told, what)
      assert.equal((await millrace.group(model.checkins, group).describe()).lag, 2)
    })
  }

  test('load removes nothing when check-ins come while somebody is asked', async () => {
    const { millrace, redis, model, key } = await loaded()
    const comes = async (): Promise<void> => {
      await redis.send('XADD', key, '*', 'userId', 1)
    }
    await redis.send('HSET', model.userKey(77), 'a', 'b')
    const replacing = load(millrace, data, { model, group, onReplace: comes })
    await assert.rejects(replacing, /more check-ins have come meanwhile/)
    assert.equal(await redis.send('XLEN', key), 3)
  })
})

test('load on a full server says what is left, and succeeds when there is room again', async (t) => {
  const server = await startRedis()
  const millrace = await connect({ url: server.url })
  t.after(async () => {
    await millrace.close()
    await server.stop()
  })
  const redis = await server.client()
  const model = checkinModel('ncc')
  await load(millrace, data, { model, group })
  await redis.send('CONFIG', 'SET', 'maxmemory', '1')
  await assert.rejects(
    load(millrace, long, { model, group, onReplace }),
    /^CommandError: Cannot finish the load: OOM .*What was there is removed.* Load again$/,
  )
  await redis.send('CONFIG', 'SET', 'maxmemory', '0')
  await load(millrace, long, { model, group })
  assert.equal(await redis.send('XLEN', model.checkins.key), 3500)
})
