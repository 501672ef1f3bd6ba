/**
 * Kills one of several consumers in the middle of its work, by SIGKILL, and measures until everything is applied all the
 * same: what the others have to do, and what the dead one had taken.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { waitFor } from '../../testing/wait-for.ts'
import type { Rival } from '../rivals/rival.ts'
import { foldCheckins, keys, makeWorkload, type Workload } from '../workload/checkins.ts'
import { countCheckins } from './check.ts'
import type { Client } from './client.ts'
import { consumerName, startConsumers, type Consumers } from './consumers.ts'
import { watchMachine } from './disturbance.ts'
import { fillBacklog } from './drain.ts'
import type { Measured } from './rounds.ts'
import { onFreshServer, serverCpuMicros, type Stage } from './server-figures.ts'

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
