/** What happens to consumers: killed, frozen, stopped, scaled, removed. */
import type { Reply } from 'millrace/operate'
import type { Member, MemberKind } from '../crew.ts'
import type { Fault } from '../fault.ts'
import { cameTrue, freezeHolding } from '../holding.ts'
import type { Scene } from '../scene.ts'

const lane = 'consumers'

/** Killed at work, and replaced under another name, so that only a claim saves what it held, or under its own. */
export const kill: Fault = {
  kind: 'consumer killed (SIGKILL)',
  lane,
  strike: async (scene, random) => {
    const victim = random.pick(scene.crew.holding)
    const held = await freezeHolding(scene, victim)
    await scene.crew.kill(victim)
    await scene.crew.hire(victim.kind, random.chance(0.5) ? victim.name : scene.crew.newName())
    return held > 0 ? 1 : 0
  },
}

/** One that drains in the server is killed under load: what it took, it took with its effects. */
const killPushing: Fault = {
  kind: 'push-down consumer killed (SIGKILL)',
  lane,
  strike: async ({ crew }, random) => {
    const pushing = crew.members.filter(({ kind }) => kind === 'pushing')
    if (pushing.length === 0) return 0
    await crew.kill(random.pick(pushing))
    await crew.hire('pushing')
    return 1
  },
}

/** Frozen at work until others have its entries, and then going on. */
export const zombie: Fault = {
  kind: 'consumer frozen beyond its lease',
  lane,
  strike: async (scene, random) => {
    const { crew, claimAfterMs, history } = scene
    const victim = random.pick(crew.holding)
    const held = await freezeHolding(scene, victim)
    // Another process may even take its name meanwhile; then the zombie has to end.
    const isUsurped = random.chance(0.3)
    if (isUsurped) crew.dismiss(victim)
    const usurper = isUsurped ? await crew.hire(victim.kind, victim.name) : undefined
    const isOvertaken = await cameTrue(scene, 3 * claimAfterMs + 10_000, async () => {
      if (usurper === undefined) return (await scene.pendingOf(victim.name)) === 0
      return (await holderPid(scene, victim.name)) === usurper.process.pid
    })
    victim.process.kill('SIGCONT')
    history.note(`${victim.name} thawed, ${isOvertaken ? 'overtaken' : 'not overtaken'}`)
    if (isUsurped) await endsSuperseded(scene, victim)
    return held > 0 && isOvertaken ? 1 : 0
  },
}

/** The process that has a name, as its lease says. */
async function holderPid(scene: Scene, name: string): Promise<number> {
  const { holders } = scene.keys
  const record = await scene.send('HGET', holders, name)
  return (JSON.parse(String(record ?? '{}')) as { pid?: number }).pid ?? 0
}

async function endsSuperseded({ crew, history }: Scene, victim: Member): Promise<void> {
  const ended = await victim.process.exited
  const isRight =
    ended.code === 1 && (ended.stdout + ended.stderr).includes('another process has its name now')
  if (!isRight) {
    history.violate('died', `${victim.name} lost its name and ended with ${String(ended.code)}`)
  }
  history.note(
    `${victim.name}, process ${victim.process.pid}, superseded; ${crew.members.length} work`,
  )
}

/** All consumers, one after the other, stopped in order and replaced. */
const roll: Fault = {
  kind: 'rolling restart (SIGTERM)',
  lane,
  strike: async ({ crew }) => {
    const before = [...crew.members]
    for (const member of before) {
      await crew.hire(member.kind)
      if (crew.members.includes(member)) await crew.retire(member)
    }
    return before.length
  },
}

/** One to four consumers more, all at once, and as many fewer. */
const scale: Fault = {
  kind: 'scaled up and down',
  lane,
  strike: async ({ crew }, random) => {
    const kinds = Array.from({ length: random.between(1, 4) }, (): MemberKind => 'processor')
    const added = await Promise.all(kinds.map((kind) => crew.hire(kind)))
    await Promise.all(added.map((member) => crew.retire(member)))
    return added.length
  },
}

/** A consumer that died at work is removed by an operator as soon as that is allowed. */
const remove: Fault = {
  kind: 'dead consumer removed by an operator',
  lane,
  strike: async (scene, random) => {
    const { crew, history, claimAfterMs } = scene
    const victim = random.pick(crew.holding)
    const held = await freezeHolding(scene, victim)
    await crew.kill(victim)
    const replacement = crew.hire(victim.kind)
    const isRemoved = await cameTrue(scene, 3 * claimAfterMs + 10_000, async () => {
      const { code } = await scene.command('consumers', 'remove', victim.name)
      return code === 0
    })
    await replacement
    history.note(`${victim.name} ${isRemoved ? 'removed' : 'could not be removed'}`)
    return held > 0 && isRemoved ? 1 : 0
  },
}

/**
 * A consumer is killed at work, and its entries look as if that had happened to them many times: delivery counts say
 * nothing about an entry, so none may become a dead letter for it.
 */
export const deliveryCounts: Fault = {
  kind: 'killed with high delivery counts',
  lane,
  strike: async (scene, random) => {
    const { crew, group, model } = scene
    const victim = random.pick(crew.holding)
    await freezeHolding(scene, victim)
    const place = [model.checkins.key, group.name]
    const rows = (await scene.send('XPENDING', ...place, '-', '+', '200', victim.name)) as Reply[][]
    const ids = rows.map(([id]) => String(id))
    if (ids.length > 0) {
      await scene.send('XCLAIM', ...place, victim.name, '0', ...ids, 'RETRYCOUNT', '20', 'JUSTID')
    }
    await crew.kill(victim)
    await crew.hire(victim.kind)
    return ids.length
  },
}

export const consumerFaults: readonly Fault[] = [
  deliveryCounts,
  kill,
  killPushing,
  zombie,
  roll,
  scale,
  remove,
]
