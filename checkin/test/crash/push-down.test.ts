/**
 * Push-down through losses of the server: it is killed, its power is lost, a replica takes over, its memory is full.
 * What is lost is lost together with its effects: stream, ledger and hashes agree. MILLRACE_SEED repeats a run.
 */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { compareIds } from 'millrace/operate'
import { appendOnlyFileIn, tearAndRepair } from '../../../chaos/append-only-file.ts'
import type { MainProcess } from '../../../testing/processes.ts'
import {
  oldestAndNewest,
  serverKindsWanted,
  whyNotOn,
  startRedis,
  type StartOptions,
  type TestServer,
} from '../../../testing/redis-servers.ts'
import { seedOfRun } from '../../../testing/seeded-random.ts'
import { startProxy, type Proxy } from '../../../testing/tcp-proxy.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Stage } from './stage.ts'

const rounds = 2

describe('push-down', { concurrency: 2 }, () => {
  for (const kind of serverKindsWanted) {
    const skip = whyNotOn(kind)
    const start = async (t: TestContext, options: StartOptions = {}): Promise<TestServer> => {
      const server = await startRedis({ kind, ...options })
      t.after(() => server.stop())
      return server
    }

    test(`loses entries and effects together when ${kind} loses power`, { skip }, async (t) => {
      const server = await start(t, {
        appendonly: 'everysec',
        args: ['--aof-load-truncated', 'no'],
      })
      const { stage, running } = await open(t, server.url)
      let lost = 0
      // What is torn off may be a few effects alone.
      for (let round = 0; round < rounds || (lost === 0 && round < 5 * rounds); round += 1) {
        const { size } = statSync(appendOnlyFileIn(server.dir))
        const before = [...stage.confirmed]
        await work(stage)
        await server.kill9()
        await stage.stopAppending()
        // Of what was written less than a second ago, the disk has got a part.
        const written = statSync(appendOnlyFileIn(server.dir)).size - size
        await tearAndRepair(server, Math.floor(1 + stage.random() * (written - 1)))
        await server.restart()
        const gone = await missing(stage)
        assert.deepEqual(
          gone.filter((id) => before.includes(id)),
          [],
          `seed ${seedOfRun}: only of this round`,
        )
        for (const id of gone) stage.confirmed.delete(id)
        lost += gone.length
      }
      await assertExact(stage)
      await stage.stopProcessors(running)
      t.diagnostic(`${stage.confirmed.size} confirmed and kept, ${lost} lost, ${rounds} times`)
      assert.ok(lost > 0 && noticed(stage) >= rounds, 'void: nothing was lost')
    })

    test(`is whole on a replica that takes over from ${kind}`, { skip }, async (t) => {
      const args = ['--repl-diskless-sync-delay', '0']
      let [primary, replica] = [await start(t, { args }), await start(t, { args })]
      const proxy = await startProxy(primary.port)
      t.after(() => proxy.close())
      const { stage, running } = await open(t, proxy.url)
      let [lost, left] = [0, 0]
      for (let round = 0; round < rounds; round += 1) {
        await follow(replica, primary)
        await work(stage)
        const isCutOff = round % 2 === 1
        const taken = await failOver(stage, { primary, replica, proxy, isCutOff })
        lost += taken.lost
        left += taken.left
        await primary.restart()
        ;[primary, replica] = [replica, primary]
      }
      await assertExact(stage)
      await stage.stopProcessors(running)
      const survived = `${stage.confirmed.size} confirmed and kept`
      t.diagnostic(`${survived}, ${lost} lost, ${left} left to the new primary, ${rounds} times`)
      assert.ok(lost > 0 && noticed(stage) >= rounds, 'void: every replica had everything')
    })

    // What a server writes to its file and to its replicas differs between all of them, but not this.
    if (!oldestAndNewest.some((one) => one === kind)) continue

    test(`loses nothing confirmed when ${kind} is killed`, { skip }, async (t) => {
      const server = await start(t, { appendonly: 'always' })
      const { stage, running } = await open(t, server.url)
      for (let round = 0; round < rounds; round += 1) {
        await work(stage)
        await server.kill9()
        await stage.stopAppending()
        await server.restart()
        assert.deepEqual(await missing(stage), [], `seed ${seedOfRun}`)
      }
      await assertExact(stage)
      await stage.stopProcessors(running)
      t.diagnostic(`${stage.confirmed.size} confirmed, ${noticed(stage)} lost connections noticed`)
      assert.ok(noticed(stage) >= rounds, 'void: the processors did not notice')
    })

    test(`drains when the memory of ${kind} is full`, { skip }, async (t) => {
      const server = await start(t)
      const stage = await Stage.open(server.url)
      t.after(() => stage.close())
      await stage.append(3000)
      await stage.millrace.send('CONFIG', 'SET', 'maxmemory', '1')
      await assert.rejects(stage.append(1), { code: 'SERVER_FULL' }, 'void: nothing was refused')
      const running = [await stage.startProcessor('consumer1', '--batch', '50')]
      assert.equal(await assertExact(stage), 3000)
      await stage.stopProcessors(running)
    })
  }
})

/** Two consumers that drain in the server. */
async function open(
  t: TestContext,
  url: string,
): Promise<{ stage: Stage; running: MainProcess[] }> {
  const stage = await Stage.open(url)
  t.after(() => stage.close())
  const names = ['consumer1', 'consumer2']
  // Small batches make many edges to be killed at.
  const flags = ['--batch', '50', '--claim-after', '1s']
  return { stage, running: await Promise.all(names.map((n) => stage.startProcessor(n, ...flags))) }
}

/** Begins to append, and resolves at a random moment when entries are taking effect. */
async function work(stage: Stage): Promise<void> {
  const applied = async (): Promise<number> => (await stage.group.balance()).applied
  const before = await applied()
  stage.startAppending(300, 1)
  await waitFor(async () => (await applied()) > before, { what: 'the consumers to go on' })
  await delay(stage.random() * 300)
}

/** Makes a server the replica of another one, and waits until it has all that was confirmed. */
async function follow(replica: TestServer, primary: TestServer): Promise<void> {
  const client = await replica.client()
  await client.send('REPLICAOF', '127.0.0.1', primary.port)
  await waitFor(
    async () => String(await client.send('INFO', 'replication')).includes('master_link_status:up'),
    { what: 'the replica to be in sync', timeoutMs: 20_000 },
  )
  client.close()
}

/**
 * Kills the primary and promotes the replica. While nobody can reach that one, what it says must be whole: each entry
 * up to the group's position has taken effect once, no other has. Then everybody goes on there.
 * @param servers.isCutOff the primary goes on for a while when the replica hears no more of it
 * @returns the confirmed entries that it lacks, and those that are left to be processed.
 */
async function failOver(
  stage: Stage,
  servers: { primary: TestServer; replica: TestServer; proxy: Proxy; isCutOff: boolean },
): Promise<{ lost: number; left: number }> {
  const { primary, replica, proxy, isCutOff } = servers
  const client = await replica.client()
  if (isCutOff) {
    await client.send('REPLICAOF', 'NO', 'ONE')
    const { key } = stage.model.checkins
    const [last] = (await client.send('XREVRANGE', key, '+', '-', 'COUNT', 1)) as [string][]
    const isLacking = (id: string): boolean => compareIds(id, last?.[0] ?? '0-0') > 0
    await waitFor(() => [...stage.confirmed].some(isLacking), {
      what: 'the primary to confirm what the replica lacks',
    })
  }
  await primary.kill9()
  await stage.stopAppending()
  await client.send('REPLICAOF', 'NO', 'ONE')
  client.close()
  const promoted = await Stage.open(replica.url)
  try {
    const { lastDeliveredId } = await promoted.group.describe()
    const taken = await promoted.verdict(lastDeliveredId)
    const { applied, deadLettered, length, unaccounted } = await promoted.group.balance()
    assert.deepEqual([applied + deadLettered, unaccounted], [taken, 0], `seed ${seedOfRun}`)
    proxy.pointTo(replica.port)
    const gone = await missing(stage)
    for (const id of gone) stage.confirmed.delete(id)
    return { lost: gone.length, left: length - taken }
  } finally {
    await promoted.close()
  }
}

/** What was confirmed and is not there, as soon as the stage has reached the server again. */
async function missing(stage: Stage): Promise<string[]> {
  await waitFor(() => stage.millrace.isConnected, { what: 'the stage to be connected again' })
  return await stage.missing()
}

/** Everything is drained, and stream, ledger and hashes agree. Returns the number of entries. */
async function assertExact(stage: Stage): Promise<number> {
  await stage.untilDrained()
  assert.deepEqual(await stage.missing(), [], `seed ${seedOfRun}`)
  const entries = await stage.verdict()
  const { applied, deadLettered, unaccounted } = await stage.group.balance()
  assert.deepEqual([applied + deadLettered, unaccounted], [entries, 0], `seed ${seedOfRun}`)
  assert.equal(stage.sumOf(/Claimed (\d+) checkins?/g), 0, 'nothing was ever pending')
  return entries
}

function noticed(stage: Stage): number {
  return [...stage.output.matchAll(/Connection to Redis lost/g)].length
}
