/**
 * Test 9: power is lost amid an apply, at many offsets of the append-only file, and once more after work has gone on.
 * The file is repaired before each start, as the embedded server does it. MILLRACE_TORN_OFFSETS asks for more offsets.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { appendOnlyFileIn, repair } from '../../../chaos/append-only-file.ts'
import { removeAtExit } from '../../../testing/clean-up-at-exit.ts'
import {
  binaryOf,
  serverKindsWanted,
  whyNotOn,
  startRedis,
  type ServerKind,
  type TestServer,
} from '../../../testing/redis-servers.ts'
import { SeededRandom, seedOfRun } from '../../../testing/seeded-random.ts'
import { isTorn } from '../../src/embedded/repair-append-only-file.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { Stage } from './stage.ts'

const offsets = Number(process.env.MILLRACE_TORN_OFFSETS ?? 8)
const model = checkinModel('ncc')

describe('an append-only file that is torn twice', { concurrency: 2 }, () => {
  for (const kind of serverKindsWanted) {
    const skip = whyNotOn(kind)
    test(`loses nothing by half when it is repaired, on ${kind}`, { skip }, async (t) => {
      const random = new SeededRandom(seedOfRun)
      const whole = await folderWithWork(kind)
      const { from, to } = lastTransaction(whole)
      let torn = 0
      for (let at = 0; at < offsets; at += 1) {
        // The edges of the transaction, and places in it.
        const cut = [from, from + 1, to - 1, to][at] ?? random.between(from, to)
        const dir = copyOf(whole)
        truncateSync(appendOnlyFileIn(dir), cut)
        const first = await start(kind, dir, 'repair')
        torn += first.wasTorn ? 1 : 0
        const kept = statSync(appendOnlyFileIn(dir)).size
        // Work, or nothing but appends: these lie behind no later transaction that could close a torn one.
        const entries = await (at % 4 < 2 ? work : appendOnly)(first.server.url)
        await first.server.kill9()
        // The second loss: of all that came later, of a part of it, or of nothing but the process.
        const { size } = statSync(appendOnlyFileIn(dir))
        const lost = at % 2 === 0 ? 0 : random.between(1, size - kept)
        truncateSync(appendOnlyFileIn(dir), size - lost)
        const second = await start(kind, dir, 'repair')
        const message = `seed ${seedOfRun}, cut at ${cut} of ${from} to ${to}, then ${lost} bytes`
        const left = await work(second.server.url)
        if (lost === 0) assert.equal(left, entries + appendedByWork, message)
        await second.server.stop()
      }
      t.diagnostic(`${offsets} offsets of the bytes ${from} to ${to}, ${torn} of them torn`)
      assert.ok(torn >= offsets - 2, 'void: the cuts did not tear the file')
    })

    test(
      `is broken by the server's own repair, on ${kind}, and that is seen`,
      { skip: skip || repairsItself(kind) },
      async () => {
        const whole = await folderWithWork(kind)
        const { from, to } = lastTransaction(whole)
        truncateSync(appendOnlyFileIn(whole), Math.floor((from + to) / 2))
        const first = await start(kind, whole, 'as the server does')
        const entries = await appendOnly(first.server.url)
        await first.server.kill9()
        const second = await start(kind, whole, 'as the server does')
        const seen = await work(second.server.url).catch((error: unknown) => String(error))
        await second.server.stop()
        assert.notEqual(seen, entries + appendedByWork)
      },
    )
  }
})

/** Later versions may repair such a file; then there is nothing to be seen. */
function repairsItself(kind: ServerKind): string | false {
  const version = execFileSync(binaryOf(kind) ?? '', ['--version'], { encoding: 'utf8' })
  const doesNot = /v=(?:7\.0\.|8\.0\.(?:\d|10) )/.test(version)
  return doesNot ? false : `not run: this version may repair it: ${version}`
}

const appendedByWork = 20

/** A data folder whose append-only file ends within the work of a consumer. */
async function folderWithWork(kind: ServerKind): Promise<string> {
  const { server } = await start(kind, emptyFolder(), 'repair')
  await work(server.url)
  await work(server.url)
  await server.kill9()
  return server.dir
}

/** Appends, processes everything, and fails unless every entry of the stream took effect once. Returns their number. */
async function work(url: string): Promise<number> {
  const stage = await Stage.open(url)
  try {
    await stage.append(appendedByWork)
    const projections = [model.users, model.locations]
    const options = { projections, mode: 'pull', drain: true, claimAfterMs: 40, batch: 10 } as const
    await stage.group.consumer('worker', options).run()
    return await stage.verdict()
  } finally {
    await stage.close()
  }
}

/** Appends and lets nobody process it. Returns how many entries the stream has. */
async function appendOnly(url: string): Promise<number> {
  const stage = await Stage.open(url)
  try {
    await stage.append(appendedByWork)
    return Number(await stage.millrace.send('XLEN', model.checkins.key))
  } finally {
    await stage.close()
  }
}

interface Started {
  readonly server: TestServer
  readonly wasTorn: boolean
}

async function start(
  kind: ServerKind,
  dir: string,
  how: 'repair' | 'as the server does',
): Promise<Started> {
  const truncated = how === 'repair' ? 'no' : 'yes'
  const options = {
    kind,
    dir,
    appendonly: 'always',
    args: ['--aof-load-truncated', truncated],
  } as const
  try {
    return { server: await startRedis(options), wasTorn: false }
  } catch (error) {
    if (!isTorn(String(error))) throw error
    await repair(dir, kind)
    return { server: await startRedis(options), wasTorn: true }
  }
}

/** Where the last transaction that acknowledges begins and ends in the file. */
function lastTransaction(dir: string): { from: number; to: number } {
  const file = readFileSync(appendOnlyFileIn(dir), 'latin1')
  const acknowledged = file.lastIndexOf('\r\nXACK\r\n')
  const from = file.lastIndexOf('*1\r\n$5\r\nMULTI\r\n', acknowledged)
  const end = '\r\nEXEC\r\n'
  return { from, to: file.indexOf(end, acknowledged) + end.length }
}

function emptyFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-torn-'))
  removeAtExit(dir)
  return dir
}

function copyOf(dir: string): string {
  const copy = emptyFolder()
  cpSync(dir, copy, { recursive: true })
  return copy
}
