/**
 * Kills one of several consumers in the middle of its work, by SIGKILL, and measures until everything is applied all the
 * same: what the others have to do, and what the dead one had taken.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { waitFor } from '../../testing/wait-for.ts'
import { countCheckins } from '../measure/check.ts'
import type { Client } from '../measure/client.ts'
import { type Consumers, consumerName, startConsumers } from '../measure/consumers.ts'
import { watchMachine } from '../measure/disturbance.ts'
import { fillBacklog } from '../measure/drain.ts'
import type { Case, Measured } from '../measure/rounds.ts'
import { type Stage, onFreshServer, serverCpuMicros } from '../measure/server-figures.ts'
import { decimals, whole, withRange } from '../report/format.ts'
import { rivals, withProcesses } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import { type Workload, foldCheckins, keys, makeWorkload } from '../workload/checkins.ts'
import type { Benchmark, Scale } from './benchmark.ts'

interface Size {
  readonly entries: number
  readonly leaseMs: number
  readonly patienceSeconds: number
}

const sizes: Readonly<Record<Scale, Size>> = {
  full: { entries: 60_000, leaseMs: 5000, patienceSeconds: 20 },
  short: { entries: 60_000, leaseMs: 5000, patienceSeconds: 10 },
  tiny: { entries: 3000, leaseMs: 300, patienceSeconds: 5 },
}

const consumers = 4
const slow = { waitMs: 5, concurrency: 100 }

/** The only group, which the bars look for. */
export const recoveryGroup = `kill -9 of one of ${consumers} consumers`

/** How long the entries of a killed consumer wait. */
export const recovery: Benchmark = {
  name: 'recovery',
  title: 'Recovery: one of four consumers is killed',
  cases: ({ scale }) => {
    const { bullmq, seedLoop, batchLoop, pushDown, handler } = rivals
    const { leaseMs, entries, patienceSeconds } = sizes[scale]
    const withHandler = (rival: Rival): Rival => ({
      ...withProcesses(rival, consumers),
      setup: { ...rival.setup, ...slow, leaseMs },
    })
    const taking: Rival[] = [
      { ...withHandler(seedLoop), share: 0.05 },
      ...(scale === 'short' ? [] : [withHandler(batchLoop)]),
      {
        ...withHandler(bullmq),
        share: 0.2,
        label: 'BullMQ 6 (ioredis, concurrency 100, lock 5 s)',
      },
      { ...withHandler(handler), label: 'Millrace, pull, lease 5 s' },
      {
        ...withProcesses(pushDown, consumers),
        share: 5,
        label: 'Millrace, push-down (no handler)',
      },
    ]
    const cases = taking.map((rival): Case => {
      const { name, label, isOurs } = rival
      const count = Math.ceil(entries * rival.share)
      return {
        ...{ rival: name, label, isOurs },
        group: recoveryGroup,
        facts: { count, patienceSeconds },
        measure: () => measureRecovery({ rival, entries: count, patienceSeconds }),
      }
    })
    return Promise.resolve(cases)
  },
  headline: ({ seconds = NaN, taken, missing = NaN, twice = NaN }) =>
    `${seconds.toFixed(1)} s, ${taken ?? '?'} taken, ${missing} missing, ${twice} twice`,
  columns: [
    { head: 'rival', align: 'left', cell: ({ label }) => label },
    { head: 'check-ins', cell: ({ facts }) => whole(Number(facts.count)) },
    { head: 'held by the dead one', cell: ({ figures }) => withRange(figures.taken, whole) },
    {
      head: 'all applied after s',
      cell: ({ figures, facts }) =>
        figures.missing?.median === 0
          ? withRange(figures.seconds, decimals(1))
          : `not within ${facts.patienceSeconds}`,
    },
    { head: 'missing', cell: ({ figures }) => withRange(figures.missing, whole) },
    { head: 'applied twice', cell: ({ figures }) => withRange(figures.twice, whole) },
  ],
  notes: [
    'The first of four consumers, whose handlers wait 5 ms, 100 at a time, is killed by SIGKILL when a tenth of the check-ins is applied; the others go on. The clock runs from the kill until everything is applied and acknowledged. Then the counts in the hashes tell what is missing and what was applied more than once.',
    "The seed's loop and the node-redis loop as such claim nothing: what the dead one held stays pending.",
    'A push-down consumer holds nothing: its entries are read and applied in one script. It runs without a handler and takes as many check-ins more.',
  ],
}

export interface RecoveryOptions {
  readonly rival: Rival
  readonly entries: number
  /** What is not applied by then is counted as missing. */
  readonly patienceSeconds: number
}

/**
 * Figures: `seconds` from the kill until all is applied, at most the patience; check-ins that were `taken` by the dead
 * consumer (where the server can tell), are `missing`, or were applied `twice`.
 * @throws {Error} when a consumer fails that was not killed.
 */
export async function measureRecovery(options: RecoveryOptions): Promise<Measured> {
  return onFreshServer('no', async (stage) => {
    const { rival, entries } = options
    const workload = makeWorkload({ count: entries })
    await fillBacklog(rival, stage, workload)
    const consumers = await startConsumers(rival, stage.url)
    try {
      const machine = watchMachine()
      const cpuBefore = await serverCpuMicros(stage.client)
      consumers.go()
      const taken = await killOne(consumers, stage.client, workload)
      const seconds = await untilApplied(options, stage, { workload, consumers })
      const cpu = (await serverCpuMicros(stage.client)) - cpuBefore + (await consumers.cpuMicros())
      const { missing, twice } = await countCheckins(stage.client, foldCheckins(workload))
      const figures = { seconds, missing, twice, ...(taken !== undefined && { taken }) }
      return { ...machine(cpu), figures }
    } finally {
      consumers.kill()
    }
  })
}

/** Kills the first consumer as soon as a tenth of the work is done. Resolves to what was pending for it then. */
async function killOne(
  consumers: Consumers,
  client: Client,
  workload: Workload,
): Promise<number | undefined> {
  const begun = waitFor(async () => (await appliedBy(client)) >= workload.count / 10, {
    what: 'a tenth of the check-ins to be applied',
    timeoutMs: 60_000,
    everyMs: 2,
  })
  await Promise.race([begun, consumers.failure])
  consumers.kill9(0)
  return await pendingOf(client, consumerName(0))
}

async function untilApplied(
  { rival, patienceSeconds }: RecoveryOptions,
  { client }: Stage,
  { workload, consumers }: { workload: Workload; consumers: Consumers },
): Promise<number> {
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 1000
  while (elapsed() < patienceSeconds) {
    if (await rival.program.backlog.isDone(client, workload)) return elapsed()
    await Promise.race([wait(20), consumers.failure])
  }
  return patienceSeconds
}

/** Check-ins that have taken effect so far, by the hashes of a few locations: all locations get about the same. */
async function appliedBy(client: Client): Promise<number> {
  const sample = 5
  const counts = Array.from({ length: sample }, (_, index) =>
    client.hGet(keys.location(index + 1), 'numCheckins'),
  )
  const applied = (await Promise.all(counts)).reduce((sum, count) => sum + Number(count ?? 0), 0)
  return (applied * 215) / sample
}

/** Undefined where there is no group. */
async function pendingOf(client: Client, name: string): Promise<number | undefined> {
  if ((await client.exists(keys.stream)) === 0) return undefined
  const consumers = await client.xInfoConsumers(keys.stream, keys.group)
  return consumers.find((consumer) => consumer.name === name)?.pending ?? 0
}
