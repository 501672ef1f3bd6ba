import { setTimeout as wait } from 'node:timers/promises'
import { openClient } from '../measure/client.ts'
import { startConsumers } from '../measure/consumers.ts'
import { watchMachine } from '../measure/disturbance.ts'
import type { Case, Measured } from '../measure/rounds.ts'
import { commandCalls, onFreshServer, serverCpuMicros } from '../measure/server-figures.ts'
import { decimals, withRange } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Benchmark, Column, Scale } from './benchmark.ts'

const sizes: Readonly<Record<Scale, { seconds: number; settleSeconds: number }>> = {
  // Right after its start a process tidies its memory up for some seconds.
  full: { seconds: 20, settleSeconds: 20 },
  short: { seconds: 10, settleSeconds: 10 },
  tiny: { seconds: 0.3, settleSeconds: 0.1 },
}

/** The only group, which the bars look for. */
export const idleGroup = 'one consumer, nothing to do'

/** What it costs to have a consumer for which there is nothing to do. */
export const idle: Benchmark = {
  name: 'idle',
  title: 'Idle: what a consumer costs when nothing arrives',
  isSideBySide: true,
  cases: ({ scale }) => {
    const { seedLoop, batchLoop, bullmq, moleculer, pushDown, pull, handler } = rivals
    const idling = [seedLoop, batchLoop, bullmq, moleculer, pushDown, pull, handler]
    const cases = idling.map((rival): Case => {
      const { name, label, isOurs } = rival
      return {
        ...{ rival: name, label, isOurs },
        group: idleGroup,
        facts: { seconds: sizes[scale].seconds },
        measure: () => measureIdle({ rival, ...sizes[scale] }),
      }
    })
    return Promise.resolve(cases)
  },
  headline: ({ commandsPerSecond = NaN, nodeShare = NaN }) =>
    `${commandsPerSecond.toFixed(1)} commands/s, ${(100 * nodeShare).toFixed(2)} % of a core`,
  columns: [
    { head: 'rival', align: 'left', cell: ({ label }) => label },
    {
      head: 'commands/s',
      cell: ({ figures }) => withRange(figures.commandsPerSecond, decimals(1)),
    },
    { head: 'with scripts', cell: ({ figures }) => withRange(figures.callsPerSecond, decimals(1)) },
    percentOfCore('Node, % of a core', 'nodeShare'),
    percentOfCore('server, % of a core', 'serverShare'),
    percentOfCore('the server alone before', 'emptyServerShare'),
  ],
  notes: [
    'Each consumer has a server of its own; all wait side by side, because they cost next to nothing. Commands are those that the consumer sends (MONITOR), and with what its scripts call in turn (INFO commandstats), without those of the observer; CPU is user and system time of the process.',
  ],
}

function percentOfCore(head: string, figure: string): Column {
  const shown = (share: number): string => (100 * share).toFixed(2)
  return { head, cell: ({ figures }) => withRange(figures[figure], shown) }
}

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
