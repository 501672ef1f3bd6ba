import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connect, type Millrace } from 'millrace'
import { freshPrefix, onOldestAndNewest } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { checkinModel, type CheckinModel } from '../../src/domain/checkins.ts'
import { load } from '../../src/loader/load.ts'
import { data, group, long, onReplace } from '../stage/small-data.ts'

async function isUntouched(redis: TestClient, { checkins, userKey }: CheckinModel): Promise<void> {
  assert.equal(await redis.send('XLEN', checkins.key), 2)
  assert.equal((await redis.hash(userKey(1))).isNew, 'true')
}

/** Runs a consumer of the group until it waits for more. */
async function startConsumer(
  t: TestContext,
  millrace: Millrace,
  model: CheckinModel,
  name: string,
): Promise<{ stop: () => Promise<void>; ended: Promise<string> }> {
  const { promise, resolve } = awaited()
  const consumer = millrace.group(model.checkins, group).consumer(name, {
    projections: [model.users, model.locations],
    observer: { waiting: resolve },
  })
  const ended = consumer.run().then(
    () => 'stopped',
    (error: unknown) => String(error),
  )
  t.after(() => consumer.stop())
  await Promise.race([promise, ended])
  return { stop: () => consumer.stop(), ended }
}

function awaited(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => (resolve = done))
  return { promise, resolve }
}

onOldestAndNewest('load', (bench) => {
  test('load refuses while a consumer is alive, however long it has been idle', async (t) => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const { key } = model.checkins
    const consumer = await startConsumer(t, millrace, model, `${model.checkins.key}-idle`)
    // What a consumer of Redis 7.0 looks like that waits at an empty stream for long.
    await redis.send('XGROUP', 'DELCONSUMER', key, group, `${key}-idle`)
    await redis.send('XGROUP', 'CREATECONSUMER', key, group, `${key}-idle`)

    await assert.rejects(load(millrace, long, { model, group }), {
      name: 'CommandError',
      message:
        `Cannot load while consumers are alive: ${key}-idle. Nothing was loaded. ` +
        'Stop them (Ctrl-C), or load all the same: npm run load -- --force',
    })
    await isUntouched(redis, model)

    await consumer.stop()
    await load(millrace, long, { model, group, onReplace })
    assert.equal(await redis.send('XLEN', key), 3500)
  })

  test('load refuses while a consumer of any group of the stream is alive', async (t) => {
    const { millrace } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const name = `${model.checkins.key}-other`
    await startConsumer(t, millrace, model, name)
    await assert.rejects(
      load(millrace, long, { model, group: 'another' }),
      new RegExp(`consumers are alive: ${name}`),
    )
  })

  test('load by force says whom it disturbs and replaces all the same', async (t) => {
    const { millrace, redis } = bench()
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const name = `${model.checkins.key}-disturbed`
    const consumer = await startConsumer(t, millrace, model, name)
    const disturbed: string[] = []
    const onDisturbed = (consumers: readonly string[]) => disturbed.push(...consumers)
    await load(millrace, long, { model, group, isForced: true, onDisturbed, onReplace })
    assert.deepEqual(disturbed, [name])
    assert.equal(await redis.send('XLEN', model.checkins.key), 3500)
    await consumer.stop()
    // It finds either no group, or the new one.
    assert.match(await consumer.ended, /stopped|does not exist/)
  })

  test('load refuses while the single processor is amid the stream', async (t) => {
    const { server } = bench()
    // Its connection has the same name in every test: a database of its own keeps it apart.
    const millrace = await connect({ url: `${server.url}/2` })
    t.after(() => millrace.close())
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const { promise, resolve } = awaited()
    const reader = millrace.reader(model.checkins, {
      name: 'checkinprocessor',
      positionKey: model.positionKey,
      projections: [model.users],
      observer: { waiting: resolve },
    })
    const ended = reader.run()
    t.after(() => reader.stop())
    await promise
    await assert.rejects(
      load(millrace, long, { model, group }),
      /consumers are alive: checkinprocessor\./,
    )
    await reader.stop()
    await ended
    await load(millrace, long, { model, group, onReplace })
  })

  test('load refuses while a consumer of another library works', async (t) => {
    const { server } = bench()
    const millrace = await connect({ url: `${server.url}/1` })
    t.after(() => millrace.close())
    const model = checkinModel(freshPrefix())
    await load(millrace, data, { model, group })
    const foreign = await server.client()
    await foreign.send('SELECT', 1)
    const { key } = model.checkins
    await foreign.send('XREADGROUP', 'GROUP', group, 'foreign', 'STREAMS', key, '>')
    await assert.rejects(load(millrace, long, { model, group }), /consumers are alive: foreign\./)
    foreign.close()
    const isGone = async (): Promise<boolean> =>
      !/ db=1 .* cmd=xreadgroup /.test(String(await bench().redis.send('CLIENT', 'LIST')))
    await waitFor(isGone, { what: 'the foreign connection to end' })
    await load(millrace, long, { model, group, onReplace })
  })

  test('load trusts the idle times when it may not see the connections', async (t) => {
    const { server, redis } = bench()
    const model = checkinModel(freshPrefix())
    const rights = ['on', '>secret', '~*', '+@all', '-client|list']
    await redis.send('ACL', 'SETUSER', 'limited', ...rights)
    const url = server.url.replace('//', '//limited:secret@')
    const millrace = await connect({ url })
    t.after(() => millrace.close())
    await load(millrace, data, { model, group })
    const { key } = model.checkins
    await redis.send('XREADGROUP', 'GROUP', group, 'recent', 'STREAMS', key, '>')
    await assert.rejects(load(millrace, long, { model, group }), /consumers are alive: recent\./)
  })

  for (const [what, keyOf, expected] of [
    ['stream', ({ checkins }) => checkins.key, 'stream'],
    ['dead-letter stream', ({ checkins }) => `${checkins.key}:${group}:dead`, 'stream'],
    ['position', ({ positionKey }) => positionKey, 'string'],
    ['user', ({ userKey }) => userKey(2), 'hash'],
    ['location', ({ locationKey }) => locationKey(1), 'hash'],
  ] satisfies [string, (model: CheckinModel) => string, string][]) {
    test(`load refuses when the key of the ${what} holds another type`, async () => {
      const { millrace, redis } = bench()
      const prefix = freshPrefix()
      const model = checkinModel(prefix)
      const key = keyOf(model)
      await redis.send('RPUSH', key, 'a list')
      await assert.rejects(load(millrace, data, { model, group }), {
        name: 'CommandError',
        message:
          `Cannot load into key "${key}": it holds a list, not a ${expected}. ` +
          'Move it away, or set KEY_PREFIX. Nothing was loaded',
      })
      assert.deepEqual(await redis.send('KEYS', `${prefix}:*`), [key])
    })
  }
})
