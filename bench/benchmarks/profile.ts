/** Where the time of a drain goes: in the server by command (INFO commandstats), in the consumer by part. */
import { checkHashes } from '../measure/check.ts'
import { startConsumers } from '../measure/consumers.ts'
import { watchMachine } from '../measure/disturbance.ts'
import { fillBacklog, untilDone } from '../measure/drain.ts'
import type { Case, Measured } from '../measure/rounds.ts'
import { commandMicros, onFreshServer, serverCpuMicros } from '../measure/server-figures.ts'
import { decimals, median } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import { type Workload, foldCheckins, makeWorkload } from '../workload/checkins.ts'
import type { Benchmark, Column, Scale } from './benchmark.ts'

const counts: Readonly<Record<Scale, number>> = { full: 200_000, short: 100_000, tiny: 2000 }

/** Where the time of our own consumers goes, part by part. */
export const profile: Benchmark = {
  name: 'profile',
  title: 'Profile: where the time goes',
  cases: ({ scale }) => {
    const count = counts[scale]
    const cases = [rivals.pushDown, rivals.pull, rivals.handler].map((rival): Case => {
      const { name, label, isOurs } = rival
      return {
        ...{ rival: name, label, isOurs },
        group: 'microseconds per check-in, one consumer',
        facts: { count },
        measure: () => profileDrain(rival, makeWorkload({ count })),
      }
    })
    return Promise.resolve(cases)
  },
  headline: ({ around = NaN, scripts = NaN }) =>
    `${scripts.toFixed(2)} µs in Lua, ${around.toFixed(2)} µs around the commands`,
  columns: [
    { head: '', align: 'left', cell: ({ label }) => label },
    micros('reading', 'read'),
    micros('XPENDING', 'gate'),
    micros('HMGET', 'look'),
    micros('HSET, ZADD', 'write'),
    micros('XACK', 'acknowledge'),
    micros('other commands', 'others'),
    micros('Lua itself', 'scripts'),
    micros('around the commands', 'around'),
    micros('Node: client', 'node-client'),
    micros('decode', 'node-decode'),
    micros('combine', 'node-combine'),
    micros('arguments', 'node-arguments'),
    micros('the rest of the consumer', 'node-rest'),
    micros('Node itself', 'node-node'),
    micros('collecting garbage', 'node-gc'),
  ],
  notes: [
    'The server by command (INFO commandstats, also of those that scripts call: wall time, so a busy machine shows in it), what is left of the scripts themselves, and what of its CPU time is left for reading requests and writing replies. The consumer by the profiler of V8, which itself costs some: what a function of V8 or Node takes belongs to the file that called it, so writing to sockets is in the client and JSON in the arguments.',
  ],
}

function micros(head: string, figure: string): Column {
  return { head, cell: ({ figures }) => median(figures[figure], decimals(2)) }
}

/** Figures are microseconds per check-in, those of the consumer with `node-` before the part. @throws {Error} when the consumer fails or leaves a wrong hash. */
export async function profileDrain(rival: Rival, workload: Workload): Promise<Measured> {
  return onFreshServer('no', async (stage) => {
    const { client } = stage
    await fillBacklog(rival, stage, workload)
    const consumers = await startConsumers(rival, stage.url)
    try {
      await consumers.profile()
      const machine = watchMachine()
      const ownCpuBefore = process.cpuUsage()
      await client.configResetStat()
      const cpuBefore = await serverCpuMicros(client)
      consumers.go()
      await Promise.race([untilDone(rival, client, workload), consumers.failure])
      const serverCpu = (await serverCpuMicros(client)) - cpuBefore
      const isReadInScript = rival.setup.mode === 'push-down'
      const micros = await commandMicros(client)
      const server = serverParts(micros, { cpu: serverCpu, isReadInScript })
      const nodeCpu = await consumers.cpuMicros()
      const node = Object.entries(await consumers.profiled())
      await checkHashes(client, foldCheckins(workload))
      const ownCpu = process.cpuUsage(ownCpuBefore)
      const figures = [
        ...Object.entries(server),
        ...node.map(([part, ms]) => [`node-${part}`, 1000 * ms] as const),
      ].map(([name, micros]) => [name, micros / workload.count] as const)
      return {
        ...machine(serverCpu + nodeCpu + ownCpu.user + ownCpu.system),
        figures: Object.fromEntries(figures),
      }
    } finally {
      consumers.kill()
    }
  })
}

/** What the server spends by command, what its scripts spend themselves, and what goes on around the commands. */
function serverParts(
  micros: ReadonlyMap<string, number>,
  { cpu, isReadInScript }: { readonly cpu: number; readonly isReadInScript: boolean },
) {
  const of = (...commands: string[]): number =>
    commands.reduce((sum, command) => sum + (micros.get(command) ?? 0), 0)
  const all = [...micros.values()].reduce((sum, each) => sum + each, 0)
  const scripts = of('evalsha', 'eval')
  // The time of a script holds that of the commands that it calls.
  const sent = scripts + of('xread') + (isReadInScript ? 0 : of('xreadgroup'))
  const parts = {
    read: of('xreadgroup', 'xread', 'xrange'),
    gate: of('xpending'),
    look: of('hmget', 'hget'),
    write: of('hset', 'zadd'),
    acknowledge: of('xack'),
  }
  const named = Object.values(parts).reduce((sum, each) => sum + each, 0)
  return {
    ...parts,
    others: all - scripts - named,
    scripts: scripts - (all - sent),
    around: cpu - sent,
  }
}
