/** What happens to the server: killed, frozen, busy, full, without its scripts, at another time. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Reply } from 'millrace/operate'
import type { Fault } from '../fault.ts'
import { cameTrue } from '../holding.ts'
import { tearAndRepair } from '../append-only-file.ts'
import type { Scene } from '../scene.ts'

const lane = 'server'

/** Killed with -9 and started again, with every write synced: nothing that was confirmed may be missing. */
const kill: Fault = {
  kind: 'server killed (SIGKILL)',
  lane,
  strike: async (scene) => {
    await scene.server.kill9()
    scene.history.note('server killed')
    await scene.server.restart()
    return await recovers(scene)
  },
}

/**
 * The machine loses power under `everysec`: killed, and some bytes at the end of the append-only file are gone. What is
 * lost is lost with its effects; the file is repaired before the start, as the embedded server does it.
 */
const powerLoss: Fault = {
  kind: 'power lost (torn append-only file)',
  lane,
  strike: async (scene, random) => {
    const { server, history, appender, recorder, watch } = scene
    await server.kill9()
    let lost = 0
    // What is there after the restart must be recorded before anything is added to it.
    await appender.heldDuring(async () => {
      recorder.pause(true)
      watch.pause(true)
      let repaired: string
      let lastId: string
      try {
        repaired = await tearAndRepair(server, random.between(1, 100_000))
        await server.restart()
        const info = (await scene.send('XINFO', 'STREAM', scene.model.checkins.key)) as Reply[]
        lastId = String(info[info.indexOf('last-generated-id') + 1])
      } finally {
        // Whatever broke off: a recorder that stays paused would let the run wait for ever.
        watch.pause(false)
        recorder.pause(false)
      }
      await scene.untilPassed(() => recorder.caughtUp())
      lost = history.rollBack(lastId)
      // Time passes until a server is back, so it gives no id twice. With ids ahead of the clock it would, and consumers
      // could still hold the lost entry of that id.
      const next = `${Number(lastId.split('-')[0]) + 1000}-0`
      await scene.send('XSETID', scene.model.checkins.key, next)
      history.note(
        `power lost, file ${repaired}; server is back at ${lastId}, ${lost} entries less`,
      )
    })
    await recovers(scene)
    return lost
  },
}

const freeze: Fault = {
  kind: 'server frozen (SIGSTOP)',
  lane,
  strike: async (scene, random) => {
    // Beyond six seconds the engine gives its connections up.
    const ms = random.chance(0.2) ? random.between(6500, 9000) : random.between(300, 2000)
    return await freezeServer(scene, ms)
  },
}

/** Freezes the server for so long. Returns 1 when the work goes on. */
export async function freezeServer(scene: Scene, ms: number): Promise<number> {
  scene.server.pause()
  scene.history.note(`server frozen for ${ms} ms`)
  await delay(ms)
  scene.server.resume()
  return await recovers(scene)
}

/** A script of somebody else that does not end. */
export const busy: Fault = {
  kind: 'server busy (BUSY script)',
  lane,
  strike: async (scene, random) => {
    const { server, appender, history } = scene
    const [looping, killing] = [await server.client(), await server.client()]
    const before = appender.refusals.get('SERVER_BUSY') ?? 0
    await killing.send('CONFIG', 'SET', 'busy-reply-threshold', 20)
    const script = looping.send('EVAL', 'while true do end', 0).catch(String)
    await delay(random.between(300, 2000))
    await killing.send('SCRIPT', 'KILL')
    history.note(`server was busy until now: ${String(await script).slice(0, 60)}`)
    await killing.send('CONFIG', 'SET', 'busy-reply-threshold', 5000)
    looping.close()
    killing.close()
    await recovers(scene)
    return (appender.refusals.get('SERVER_BUSY') ?? 0) - before
  },
}

/** No more memory for appends; what is there must be processed all the same. */
const full: Fault = {
  kind: 'server full (maxmemory)',
  lane,
  strike: async (scene, random) => {
    const { appender, history } = scene
    const before = appender.refusals.get('SERVER_FULL') ?? 0
    const info = String(await scene.send('INFO', 'memory'))
    const used = /used_memory:(\d+)/.exec(info)?.[1] ?? '1'
    await scene.send('CONFIG', 'SET', 'maxmemory', used)
    await delay(random.between(500, 2500))
    await scene.send('CONFIG', 'SET', 'maxmemory', '0')
    const refused = (appender.refusals.get('SERVER_FULL') ?? 0) - before
    history.note(`server was full until now: ${refused} appends refused`)
    await recovers(scene)
    return refused
  },
}

export const scriptFlush: Fault = {
  kind: 'SCRIPT FLUSH',
  lane,
  strike: async (scene, random) => {
    const before = await missedScripts(scene)
    for (let times = random.between(1, 5); times > 0; times -= 1) {
      await scene.send('SCRIPT', 'FLUSH')
      await delay(random.between(20, 200))
    }
    return (await missedScripts(scene)) - before
  },
}

async function missedScripts(scene: Scene): Promise<number> {
  const info = String(await scene.send('INFO', 'errorstats'))
  return Number(/errorstat_NOSCRIPT:count=(\d+)/.exec(info)?.[1] ?? 0)
}

const shifts = [3600, -3600] as const

/** An hour ahead or back for some seconds: leases and turns jump, and the ids of entries stay ahead for good. */
const clock: Fault = {
  kind: 'clock shifted by an hour',
  lane,
  strike: async (scene, random) => {
    const { clock: shifted, history } = scene
    const seconds = random.pick(shifts)
    const timeBefore = await secondsOf(scene)
    await scene.shiftClock(seconds)
    history.note(`clock shifted by ${seconds} s`)
    await delay(random.between(1500, 3000))
    const jumped = Math.abs((await secondsOf(scene)) - timeBefore)
    await scene.shiftClock(0)
    history.note('clock is right again')
    await recovers(scene)
    return shifted === undefined || jumped > 3000 ? 1 : 0
  },
}

async function secondsOf(scene: Scene): Promise<number> {
  const [seconds] = (await scene.send('TIME')) as Reply[]
  return Number(seconds)
}

const recoveryMaxMs = 10_000

/** Appends are confirmed and entries take effect again, without help. Returns 1, as a count of bites. */
export async function recovers(scene: Scene): Promise<number> {
  const { appender, watch, history } = scene
  const healedAt = performance.now()
  const isBack = await cameTrue(scene, recoveryMaxMs, () => {
    return appender.confirmedAt > healedAt && watch.appliedAt > healedAt
  })
  const ms = Math.round(performance.now() - healedAt)
  scene.recoveries.push(ms)
  if (isBack) history.note(`work goes on after ${ms} ms`)
  else
    history.violate(
      'stuck',
      `no append confirmed or no entry applied ${ms} ms after the fault was over`,
    )
  return 1
}

export const serverFaults: readonly Fault[] = [
  kill,
  powerLoss,
  freeze,
  busy,
  full,
  scriptFlush,
  clock,
]
