import { setTimeout as wait } from 'node:timers/promises'
import type { Rival } from '../rivals/rival.ts'
import { foldCheckins, inChunks, type Workload } from '../workload/checkins.ts'
import { checkHashes } from './check.ts'
import { startConsumers, type Consumers } from './consumers.ts'
import { watchMachine } from './disturbance.ts'
import type { Measured } from './rounds.ts'
import {
  appendOnlyBytes,
  onFreshServer,
  serverCpuMicros,
  type AppendOnly,
  type Stage,
} from './server-figures.ts'

/** What a drain tells: `rate` in check-ins per second, CPU in microseconds and file in bytes per check-in. */
export type DrainFigures = 'rate' | 'seconds' | 'serverMicros' | 'nodeMicros' | 'aofBytes'

/** What one drain is about. */
export interface DrainOptions {
  readonly rival: Rival
  readonly workload: Workload
  readonly appendonly: AppendOnly
}

/**
 * Measures one rival from a full backlog to every check-in applied and acknowledged, on a redis-server of its own, and
 * checks what it left there.
 * @throws {Error} when a consumer fails, the backlog does not get empty in time, or a hash is wrong.
 */
export async function drain(options: DrainOptions): Promise<Measured<DrainFigures>> {
  return onFreshServer(options.appendonly, async (stage) => {
    const { rival, workload } = options
    await fillBacklog(rival, stage, workload)
    const consumers = await startConsumers(rival, stage.url)
    try {
      const measured = await timeDrain(options, stage, consumers)
      if (rival.promise !== 'no effect') await checkHashes(stage.client, foldCheckins(workload))
      return measured
    } finally {
      consumers.kill()
    }
  })
}

const fillChunk = 1000

/** Puts the whole workload into the rival's backlog. */
export async function fillBacklog(rival: Rival, stage: Stage, workload: Workload): Promise<void> {
  const { backlog } = rival.program
  await backlog.prepare(stage.client)
  const producer = await backlog.openProducer(stage.url)
  // The next chunk is made while the server takes the one before.
  let filled: Promise<unknown> = Promise.resolve()
  for (const chunk of inChunks(workload, fillChunk)) {
    const filling = producer.fill(chunk)
    await filled
    filled = filling
  }
  await filled
  await producer.close()
}

async function timeDrain(
  { rival, workload }: DrainOptions,
  { client }: Stage,
  consumers: Consumers,
): Promise<Measured<DrainFigures>> {
  const machine = watchMachine()
  const ownCpuBefore = process.cpuUsage()
  const serverCpuBefore = await serverCpuMicros(client)
  const bytesBefore = await appendOnlyBytes(client)
  const start = performance.now()
  consumers.go()
  await Promise.race([untilDone(rival, client, workload), consumers.failure])
  const seconds = (performance.now() - start) / 1000
  const serverCpu = (await serverCpuMicros(client)) - serverCpuBefore
  const bytes = (await appendOnlyBytes(client)) - bytesBefore
  const nodeCpu = await consumers.cpuMicros()
  const ownCpu = process.cpuUsage(ownCpuBefore)
  const { count } = workload
  return {
    ...machine(serverCpu + nodeCpu + ownCpu.user + ownCpu.system),
    figures: {
      rate: count / seconds,
      seconds,
      serverMicros: serverCpu / count,
      nodeMicros: nodeCpu / count,
      aofBytes: bytes / count,
    },
  }
}

const pollMs = 5

/**
 * Asks the server every few milliseconds whether all is done: the same for all rivals, and from outside.
 * That costs the server well below a percent, and all rates are that much too low at most.
 * @throws {Error} when it is not done in time.
 */
export async function untilDone(
  rival: Rival,
  client: Stage['client'],
  workload: Workload,
): Promise<void> {
  // 100 check-ins a second is half of what the slowest rival does: one at a time, with a handler that waits 5 ms.
  const deadline = performance.now() + 60_000 + workload.count * 10
  while (!(await rival.program.backlog.isDone(client, workload))) {
    if (performance.now() > deadline) {
      throw new Error(
        `Cannot measure ${rival.name}: its backlog is not empty after the time allowed`,
      )
    }
    await wait(pollMs)
  }
}
