import { after, before, describe, test } from 'node:test'
import { connect, type Millrace } from 'millrace'
import {
  oldestAndNewest,
  serverKindsWanted,
  whyNotOn,
  startRedis,
  type ServerKind,
  type StartOptions,
  type TestServer,
} from './redis-servers.ts'
import type { TestClient } from './test-client.ts'

/** The server of a suite, connected twice: by the engine, and by a client that knows nothing of it. */
export interface Bench {
  readonly kind: ServerKind
  readonly server: TestServer
  readonly millrace: Millrace
  /** Looks at Redis past the engine. */
  readonly redis: TestClient
}

/**
 * Declares the same tests for each kind of server; one that this machine lacks shows as skipped, not as passed.
 * @param suite called with a function that returns the bench, to be used inside tests.
 */
export function onEachServer(
  name: string,
  suite: (bench: () => Bench) => void,
  options: SuiteOptions = {},
): void {
  declare(serverKindsWanted, { name, suite, options })
}

/**
 * The same on the oldest and on the newest server alone: for suites that start a process for each step, which take their time and
 * differ little between servers.
 */
export function onOldestAndNewest(
  name: string,
  suite: (bench: () => Bench) => void,
  options: SuiteOptions = {},
): void {
  declare(oldestAndNewest, { name, suite, options })
}

type SuiteOptions = Omit<StartOptions, 'kind'> & { readonly concurrency?: boolean }

interface Suite {
  readonly name: string
  readonly suite: (bench: () => Bench) => void
  readonly options: SuiteOptions
}

function declare(kinds: readonly ServerKind[], { name, suite, options }: Suite): void {
  for (const kind of kinds) {
    const skip = whyNotOn(kind)
    if (skip !== false) {
      test(`${name}, on ${kind}`, { skip }, () => undefined)
      continue
    }
    describe(`${name}, on ${kind}`, { concurrency: options.concurrency ?? true }, () => {
      let bench: Bench | undefined
      before(async () => {
        const server = await startRedis({ ...options, kind })
        const millrace = await connect({ url: server.url })
        bench = { kind, server, millrace, redis: await server.client() }
      })
      after(async () => {
        await bench?.millrace.close()
        await bench?.server.stop()
      })
      suite(() => {
        if (bench === undefined) throw new Error('The bench is there once the tests run')
        return bench
      })
    })
  }
}

let keys = 0

/** A key prefix of its own for a test, so that tests share a server. */
export function freshPrefix(): string {
  keys += 1
  return `t${keys}`
}
