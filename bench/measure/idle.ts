import { setTimeout as wait } from 'node:timers/promises'
import type { Rival } from '../rivals/rival.ts'
import { openClient } from './client.ts'
import { startConsumers } from './consumers.ts'
import { watchMachine } from './disturbance.ts'
import type { Measured } from './rounds.ts'
import { commandCalls, onFreshServer, serverCpuMicros } from './server-figures.ts'

/**
 * `commandsPerSecond`: what clients sent; `callsPerSecond`: with the commands that their scripts called in turn. Shares
 * are of one core, from 0 to 1.
 */
export type IdleFigures =
  'commandsPerSecond' | 'callsPerSecond' | 'nodeShare' | 'serverShare' | 'emptyServerShare'

export interface IdleOptions {
  readonly rival: Rival
  readonly seconds: number
  /** Before these: whatever a consumer does once at its start. */
  readonly settleSeconds: number
}

/** What a consumer costs for which there is nothing to do. @throws {Error} when it fails. */
export async function measureIdle(options: IdleOptions): Promise<Measured<IdleFigures>> {
  return onFreshServer('no', async ({ client, url }) => {
    const { rival, seconds, settleSeconds } = options
    await rival.program.backlog.prepare(client)
    const observe = async (): Promise<Usage> => ({
      at: performance.now(),
      calls: totalCalls(await commandCalls(client)),
      serverCpu: await serverCpuMicros(client),
    })
    // A server has timers of its own, which are not the consumer's.
    const emptyBefore = await observe()
    await wait(settleSeconds * 1000)
    const emptyShare = share(emptyBefore, await observe())
    const consumers = await startConsumers(rival, url)
    try {
      consumers.go()
      await Promise.race([wait(settleSeconds * 1000), consumers.failure])
      const machine = watchMachine()
      const watched = await watchCommands(url)
      const nodeBefore = await consumers.cpuMicros()
      const before = await observe()
      await Promise.race([wait(seconds * 1000), consumers.failure])
      const commandsPerSecond = watched.endPerSecond()
      const after = await observe()
      const nodeCpu = (await consumers.cpuMicros()) - nodeBefore
      const elapsedMs = after.at - before.at
      return {
        ...machine(after.serverCpu - before.serverCpu + nodeCpu),
        figures: {
          commandsPerSecond,
          callsPerSecond: ((after.calls - before.calls) * 1000) / elapsedMs,
          nodeShare: nodeCpu / 1000 / elapsedMs,
          serverShare: share(before, after),
          emptyServerShare: emptyShare,
        },
      }
    } finally {
      consumers.kill()
    }
  })
}

interface Usage {
  readonly at: number
  readonly calls: number
  readonly serverCpu: number
}

function share(before: Usage, after: Usage): number {
  return (after.serverCpu - before.serverCpu) / 1000 / (after.at - before.at)
}

/** Counts the commands that clients send, by MONITOR: it tells which ones a script called. */
async function watchCommands(url: string): Promise<{ endPerSecond: () => number }> {
  const monitor = await openClient(url)
  let sent = 0
  const start = performance.now()
  await monitor.monitor((line) => {
    const isOurs = /"info"/i.test(line)
    if (!isOurs && !/^[\d.]+ \[\d+ lua\]/.test(line)) sent += 1
  })
  return {
    endPerSecond() {
      monitor.destroy()
      return (sent * 1000) / (performance.now() - start)
    },
  }
}

const observed = new Set(['info', 'monitor'])

/** All calls but the observer's own. Commands inside scripts count: they are work too. */
function totalCalls(calls: ReadonlyMap<string, number>): number {
  return [...calls].reduce(
    (sum, [command, count]) => (observed.has(command) ? sum : sum + count),
    0,
  )
}
