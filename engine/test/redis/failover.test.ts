/** A failover behind one name, where the old primary lives on: whoever works goes to the new one, and nothing counts twice. */
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test, type TestContext } from 'node:test'
import { isPassing, MillraceError, type Reader } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { startRedis, type ServerKind } from '../../../testing/redis-servers.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  connectFor,
  effects,
  startConsumer,
  visit,
  visitModel,
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

/** Two servers, of which the second copies the first; the name leads to the first. */
interface Pair {
  readonly url: string
  readonly old: TestClient
  readonly fresh: TestClient
  /** What the replica has not got by now is lost. */
  readonly promote: () => Promise<void>
  /** The name leads to the new primary; no connection breaks by that. */
  readonly rename: () => void
  readonly oldBecomesReplica: () => Promise<unknown>
}

async function startPair(t: TestContext, kind: ServerKind): Promise<Pair> {
  const args = ['--repl-diskless-sync-delay', '0']
  const [first, second] = await Promise.all([
    startRedis({ kind, args }),
    startRedis({ kind, args }),
  ])
  const proxy = await startProxy(first.port)
  t.after(() => Promise.all([proxy.close(), first.stop(), second.stop()]))
  const [old, fresh] = await Promise.all([first.client(), second.client()])
  await fresh.send('REPLICAOF', '127.0.0.1', first.port)
  const role = async (): Promise<unknown> => ((await fresh.send('ROLE')) as unknown[])[3]
  await waitFor(async () => (await role()) === 'connected', { what: 'the replica to be in step' })
  return {
    url: proxy.url,
    old,
    fresh,
    promote: async () => {
      await fresh.send('REPLICAOF', 'NO', 'ONE')
    },
    rename: () => proxy.leadTo(second.port),
    oldBecomesReplica: () => old.send('REPLICAOF', '127.0.0.1', second.port),
  }
}

/** Until the replica has all that the primary has now. */
async function untilInStep({ old }: Pair): Promise<void> {
  // WAIT is about what its own connection has written.
  await old.send('SET', 'mark', '1')
  await waitFor(async () => Number(await old.send('WAIT', 1, 1000)) === 1, { what: 'the replica' })
}

/** One process's connection, and what it was told. */
async function join(t: TestContext, { url, fresh }: Pair, prefix: string) {
  const told: string[] = []
  const millrace = await connectFor(t, {
    url,
    onRefused: ({ code }) => told.push(`refused ${code}`),
    onAccepted: () => told.push('accepted'),
  })
  const model = visitModel(prefix)
  const group = millrace.group(model.visits, 'desk')
  return { ...model, millrace, group, redis: fresh, told }
}

/** Appends, again after each refusal, which has appended nothing. */
async function append({ millrace, visits }: Pick<Fixture, 'millrace' | 'visits'>, many: number) {
  for (let n = 0; n < many; n += 1) {
    const once = (): Promise<string | undefined> =>
      millrace.append(visits, visit(n)).catch((error: unknown) => {
        const isRefusal = error instanceof MillraceError && isPassing(error)
        if (!isRefusal || ['DISCONNECTED', 'TIMEOUT'].includes(error.code)) throw error
        return undefined
      })
    await waitFor(once, { what: 'an append to be taken', timeoutMs: 30_000 })
  }
}

async function untilEffects(fixture: Fixture, many: number): Promise<void> {
  const done = async (): Promise<boolean> => (await effects(fixture)).rooms >= many
  await waitFor(done, { what: `${many} effects at the new primary`, timeoutMs: 30_000 })
  assert.deepEqual(await effects(fixture), { guests: many, rooms: many })
}

function startReader(t: TestContext, fixture: Fixture): Reader<VisitFields> {
  const reader = fixture.millrace.reader(fixture.visits, {
    name: 'alone',
    positionKey: `${fixture.prefix}:position`,
    projections: [fixture.guests, fixture.rooms],
  })
  const ended = reader.run().catch((error: unknown) => t.diagnostic(String(error)))
  t.after(() => Promise.all([reader.stop(), ended]))
  return reader
}

/** A consumer that works at its entries for ever. Returns what kills it. */
async function holdEntries(
  t: TestContext,
  pair: Pair,
  prefix: string,
  many: number,
): Promise<() => Promise<void>> {
  const doomed = await join(t, pair, prefix)
  const over = new EventEmitter()
  t.after(() => over.emit('over'))
  const isOver = once(over, 'over')
  const handler = async (): Promise<undefined> => {
    await isOver
    return undefined
  }
  startConsumer(t, doomed, 'doomed', { handler, claimAfterMs: 6000, inHandMax: many })
  await waitFor(async () => (await doomed.group.describe()).pending === many, {
    what: 'its entries to be delivered',
  })
  return () => doomed.millrace.close()
}

const fates = [
  { fate: 'becomes a replica', code: 'READ_ONLY' },
  { fate: 'lacks its replicas', code: 'SERVER_BUSY' },
] as const

onEachServer(
  'after a failover behind one name',
  (bench) => {
    for (const { fate, code } of fates) {
      test(`all work goes on at the new primary, when the old one ${fate}`, async (t) => {
        const pair = await startPair(t, bench().kind)
        const [writer, pull, push, single] = await Promise.all(
          ['none', 'pull', 'push', 'single'].map((prefix) => join(t, pair, prefix)),
        )
        assert.ok(writer && pull && push && single)
        for (const { group } of [pull, push]) await group.create()
        const streams = [pull, push, single]
        for (const { visits } of streams) await append({ ...writer, visits }, 4)
        const deaths = await Promise.all(
          [pull, push].map(({ prefix }) => holdEntries(t, pair, prefix, 4)),
        )
        const options = { claimAfterMs: 6000 }
        const consumers = [
          startConsumer(t, pull, 'one', { ...options, mode: 'pull' }).consumer,
          startConsumer(t, push, 'one', { ...options, mode: 'push-down' }).consumer,
        ]
        startReader(t, single)
        for (const { visits } of streams) await append({ ...writer, visits }, 5)
        await waitFor(() => consumers.every(({ counts }) => counts.applied === 5), {
          what: 'the first entries',
        })
        await Promise.all(deaths.map((die) => die()))
        await untilInStep(pair)
        assert.deepEqual(
          consumers.map(({ counts }) => counts.claimed),
          [0, 0],
          'void: claimed before the failover',
        )

        await pair.promote()
        pair.rename()
        if (fate === 'becomes a replica') await pair.oldBecomesReplica()
        else await pair.old.send('CONFIG', 'SET', 'min-replicas-to-write', 1)

        for (const { visits } of streams) await append({ ...writer, visits }, 6)
        await Promise.all([
          untilEffects(pull, 15),
          untilEffects(push, 15),
          untilEffects(single, 15),
        ])
        assert.deepEqual(writer.told, [`refused ${code}`, 'accepted'])
        // The lease is held where the others look.
        for (const fixture of [pull, push]) {
          const other = await join(t, pair, fixture.prefix)
          const { ended } = startConsumer(t, other, 'one', options)
          const error = await ended
          assert.ok(error instanceof MillraceError && error.code === 'NAME_TAKEN', String(error))
        }
      })
    }

    test('what the replica had not got is lost with its effects, and work goes on behind it', async (t) => {
      const pair = await startPair(t, bench().kind)
      const [writer, pull, push, single] = await Promise.all(
        ['none', 'pull', 'push', 'single'].map((prefix) => join(t, pair, prefix)),
      )
      assert.ok(writer && pull && push && single)
      for (const { group } of [pull, push]) await group.create()
      startConsumer(t, pull, 'one', { mode: 'pull' })
      startConsumer(t, push, 'one', { mode: 'push-down' })
      startReader(t, single)
      const streams = [pull, push, single]
      const atOld = async (many: number): Promise<unknown> =>
        await Promise.all(
          streams.map((fixture) => untilEffects({ ...fixture, redis: pair.old }, many)),
        )
      for (const { visits } of streams) await append({ ...writer, visits }, 5)
      await atOld(5)
      await untilInStep(pair)
      await pair.promote()
      for (const { visits } of streams) await append({ ...writer, visits }, 7)
      await atOld(12)
      pair.rename()
      await pair.oldBecomesReplica()
      for (const { visits } of streams) await append({ ...writer, visits }, 3)
      await Promise.all(streams.map((fixture) => untilEffects(fixture, 8)))
    })

    test('what it had got, but not that it was delivered, is delivered once more and takes effect', async (t) => {
      const pair = await startPair(t, bench().kind)
      const [writer, pull, push] = await Promise.all(
        ['none', 'pull', 'push'].map((prefix) => join(t, pair, prefix)),
      )
      assert.ok(writer && pull && push)
      for (const { group, visits } of [pull, push]) {
        await group.create()
        await append({ ...writer, visits }, 5)
      }
      await untilInStep(pair)
      await pair.promote()
      startConsumer(t, pull, 'one', { mode: 'pull' })
      startConsumer(t, push, 'one', { mode: 'push-down' })
      for (const fixture of [pull, push]) await untilEffects({ ...fixture, redis: pair.old }, 5)
      pair.rename()
      await pair.oldBecomesReplica()
      for (const fixture of [pull, push]) await untilEffects(fixture, 5)
      for (const { visits } of [pull, push]) await append({ ...writer, visits }, 1)
      for (const fixture of [pull, push]) await untilEffects(fixture, 6)
    })
  },
  { concurrency: false },
)
