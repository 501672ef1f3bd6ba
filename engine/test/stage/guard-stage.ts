/**
 * Calls the scripts of a group directly, in the state that a guard is for. What a race brings about once in a thousand runs is here
 * made by hand before the call.
 */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { groupKeys, type GroupKeys } from 'millrace/operate'
import { compilePushDown } from '../../src/apply/compile-push-down.ts'
import { Gate } from '../../src/apply/gate.ts'
import type { Settled } from '../../src/apply/settled.ts'
import { plansOf } from '../../src/declare/plan.ts'
import type { Connection, Reply } from '../../src/redis/connection.ts'
import type { Bench } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { openConnection, urlWithRights } from './connections.ts'
import { freshGroup, visit, type Fixture } from './fixture.ts'
import { runScript, script, type Script } from './script-calls.ts'

/** Asserts that a call changes none of the keys under a prefix, whether it answers or throws. */
export function unchangedUnder(redis: TestClient, prefix: string) {
  const digest = "return redis.sha1hex(redis.call('DUMP', KEYS[1]))"
  const digests = async (): Promise<string[]> => {
    const keys = ((await redis.send('KEYS', `${prefix}:*`)) as string[]).sort()
    const each = keys.map(
      async (key) => `${key} ${String(await redis.send('EVAL', digest, 1, key))}`,
    )
    return await Promise.all(each)
  }
  return async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
    const before = await digests()
    try {
      return await call()
    } finally {
      assert.deepEqual(await digests(), before)
    }
  }
}

/** The scripts of the fixture's group, with what they are given in most tests. */
export function callsOf(
  connection: Connection,
  { keys, visits, guests, rooms }: Fixture & { readonly keys: GroupKeys },
) {
  const plans = plansOf([guests, rooms], visits)
  const gate = new Gate(connection, plans)
  const run = (
    which: Script,
    roles: readonly (keyof GroupKeys)[],
    ...args: readonly (string | number)[]
  ): Promise<Reply[]> => {
    const names = roles.map((role) => keys[role])
    return runScript(connection, which, names, args.map(String))
  }
  return {
    gate: (consumer: string, settled: readonly Settled[], token = '') =>
      gate.acknowledgeAndApply(keys, { group: 'desk', consumer, token }, settled),
    pushDown: (consumer: string, { token = '', count = 100, step = 10 } = {}) => {
      const roles = ['stream', 'deadLetters', 'holders', 'ledger', 'attempts'] as const
      const drain = script('push-down', compilePushDown(visits, plans))
      return run(drain, roles, 'desk', consumer, token, count, 1_000_000, step)
    },
    lease: (action: string, name: string, token: string, { leaseMs = 60_000, dead = '' } = {}) => {
      const holder = JSON.stringify({ token, leaseMs })
      const roles = ['leases', 'holders'] as const
      return run(script('lease'), roles, action, name, token, leaseMs, holder, dead)
    },
    sweep: (name: string, { strayMs = 3_600_000, hasRoom = 'yes' } = {}) => {
      const roles = ['stream', 'leases', 'holders', 'retries', 'attempts', 'ledger'] as const
      return run(script('sweep'), roles, 'desk', name, 900, strayMs, hasRoom)
    },
    claim: (by: string, from: string, { idleMs = 0, after = '-', count = 100 } = {}) => {
      const roles = ['stream', 'deadLetters', 'leases', 'holders', 'ledger'] as const
      return run(script('claim'), roles, 'desk', by, from, idleMs, after, 100, count)
    },
    retry: (name: string, token: string, id: string, { attempt = 1, afterMs = 60_000 } = {}) => {
      const roles = ['stream', 'holders', 'retries', 'attempts'] as const
      return run(script('retry'), roles, 'desk', name, token, 'retry', id, attempt, afterMs)
    },
    takeDue: (name: string, count = 100) => {
      const roles = ['stream', 'deadLetters', 'retries', 'ledger', 'attempts'] as const
      return run(script('take-due'), roles, 'desk', name, 'retry', count)
    },
    setIdle: (name: string, ...ids: readonly string[]) =>
      run(script('set-idle'), ['stream'], 'desk', name, 5_000_000, ...ids),
    removeEmpty: (afterMs: number, ...names: readonly string[]) =>
      run(script('remove-empty'), ['stream', 'leases', 'holders'], 'desk', afterMs, ...names),
    removeConsumer: (name: string, count = 100) => {
      const roles = ['stream', 'leases', 'holders', 'deadLetters', 'ledger'] as const
      return run(script('remove-consumer'), roles, 'desk', name, 'unassigned', count, 0)
    },
    pause: (action: string, name: string, who = '{}') =>
      run(script('pause'), ['stream', 'leases', 'holders'], action, 'desk', name, who, 'no'),
  }
}

export type Calls = ReturnType<typeof callsOf>

export interface GuardStage extends Fixture {
  readonly keys: GroupKeys
  readonly calls: Calls
  /** The same for a user with these rights, and all keys if it names none. */
  readonly as: (...rights: readonly string[]) => Promise<Calls>
  /** Makes somebody the holder of a name, whose lease ends so many milliseconds from now. */
  readonly hold: (name: string, token: string, leftMs: number) => Promise<void>
  /** The server's clock, in milliseconds. */
  readonly now: () => Promise<number>
  /** Which entries are pending, and for whom. */
  readonly pending: () => Promise<[id: string, consumer: string][]>
  readonly unchanged: ReturnType<typeof unchangedUnder>
}

/** A fresh group and its scripts. */
export async function guardStage(t: TestContext, bench: Bench): Promise<GuardStage> {
  const fixture = await freshGroup(bench)
  const { redis, prefix } = fixture
  const keys = groupKeys(fixture.visits.key, 'desk')
  const known = { ...fixture, keys }
  const now = async (): Promise<number> => {
    const [seconds = '', micros = ''] = (await redis.send('TIME')) as string[]
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
  }
  return {
    ...known,
    now,
    calls: callsOf(await openConnection(t, bench.server.url), known),
    async as(...rights) {
      const pattern = rights.some((right) => /^[~%]/.test(right)) ? [] : ['~*']
      const url = await urlWithRights(bench, ...pattern, ...rights)
      return callsOf(await openConnection(t, url), known)
    },
    async hold(name, token, leftMs) {
      await redis.send('ZADD', keys.leases, (await now()) + leftMs, name)
      const holder = { token, leaseMs: Math.max(leftMs, 60_000) }
      await redis.send('HSET', keys.holders, name, JSON.stringify(holder))
    },
    async pending() {
      const rows = await redis.send('XPENDING', keys.stream, 'desk', '-', '+', '10000')
      return (rows as [string, string][]).map(([id, consumer]) => [id, consumer])
    },
    unchanged: unchangedUnder(redis, prefix),
  }
}

/** The visits of `appendVisits` as a handler has settled them: applied, from one position to another. */
export function settledVisits(many: number, from = 0): Settled[] {
  return Array.from({ length: many }, (_, n) => {
    const at = from + n
    const entry = { id: `${at + 1}-0`, values: visit(at), unknown: undefined }
    return { kind: 'apply', id: entry.id, entry }
  })
}
