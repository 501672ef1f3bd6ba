/** What happens between consumers and server: replies lost, requests cut, connections killed. */
import type { Fault } from '../fault.ts'
import { cameTrue } from '../holding.ts'

const lane = 'server'
// The script call is one that applies a batch; others (leases, sweeps) are cut by chance only.
const commands = ['XADD', 'XREADGROUP', /EVAL[^]*"rows":/] as const

/** The reply to an append, a read or a script is lost, after it was executed. */
export const lostReply: Fault = {
  kind: 'reply lost',
  lane,
  strike: async (scene) => {
    const { proxy, history } = scene
    const before = proxy.cuts
    for (const command of commands) {
      const cuts = proxy.cuts
      proxy.cutBeforeReply(command)
      await cameTrue(scene, 3000, () => proxy.cuts > cuts)
      history.note(`reply to ${String(command)} lost: ${proxy.cuts - cuts}`)
    }
    return proxy.cuts - before
  },
}

/** A request or a reply is cut after some bytes. */
const cutAmid: Fault = {
  kind: 'connection cut amid request or reply',
  lane,
  strike: async (scene, random) => {
    const { proxy, history } = scene
    const before = proxy.cuts
    for (const command of random.shuffled(commands)) {
      const cuts = proxy.cuts
      const what = random.pick(['request', 'reply'] as const)
      const bytes = random.pick([1, random.between(2, 40), random.between(41, 2000), 1_000_000])
      proxy.cutAmid(what, command, bytes)
      await cameTrue(scene, 3000, () => proxy.cuts > cuts)
      history.note(`${what} of ${String(command)} cut after ${bytes} bytes: ${proxy.cuts - cuts}`)
    }
    return proxy.cuts - before
  },
}

/** Every connection but the operator's is killed by the server, some times in a row. */
export const clientKill: Fault = {
  kind: 'CLIENT KILL',
  lane,
  strike: async (scene, random) => {
    let killed = 0
    for (let round = random.between(1, 4); round > 0; round -= 1) {
      killed += Number(await scene.send('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
      await cameTrue(scene, 300, () => false)
    }
    scene.history.note(`${killed} connections killed`)
    return killed
  },
}

export const connectionFaults: readonly Fault[] = [lostReply, cutAmid, clientKill]
