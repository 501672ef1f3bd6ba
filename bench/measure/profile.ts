/** Where the time of a drain goes: in the server by command (INFO commandstats), in the consumer by part. */
import type { Rival } from '../rivals/rival.ts'
import { foldCheckins, type Workload } from '../workload/checkins.ts'
import { checkHashes } from './check.ts'
import { startConsumers } from './consumers.ts'
import { watchMachine } from './disturbance.ts'
import { fillBacklog, untilDone } from './drain.ts'
import type { Measured } from './rounds.ts'
import { commandMicros, onFreshServer, serverCpuMicros } from './server-figures.ts'

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
