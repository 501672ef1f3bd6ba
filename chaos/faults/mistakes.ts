/** What nobody should do to a stream, for the negative controls. */
import type { SeededRandom } from '../../testing/seeded-random.ts'
import type { Member } from '../crew.ts'
import type { Fault } from '../fault.ts'
import { freezeHolding } from '../holding.ts'
import type { Scene } from '../scene.ts'

const lane = 'operators'

/** Does something while a consumer holds entries, and replaces that consumer. */
async function whileFrozen<Result>(
  scene: Scene,
  random: SeededRandom,
  action: (victim: Member, held: number) => Promise<Result>,
): Promise<Result> {
  const victim = random.pick(scene.crew.holding)
  const result = await action(victim, await freezeHolding(scene, victim))
  await scene.crew.kill(victim)
  await scene.crew.hire(victim.kind)
  return result
}

/** XTRIM MAXLEN while a consumer holds entries. */
export const bareTrim: Fault = {
  kind: 'XTRIM MAXLEN',
  lane,
  strike: (scene, random) =>
    whileFrozen(scene, random, async (_victim, held) => {
      await scene.send('XTRIM', scene.model.checkins.key, 'MAXLEN', '0')
      scene.history.note('XTRIM MAXLEN 0')
      return held
    }),
}

/** XGROUP DELCONSUMER of a consumer that holds entries. */
export const bareDelconsumer: Fault = {
  kind: 'XGROUP DELCONSUMER',
  lane,
  strike: (scene, random) =>
    whileFrozen(scene, random, async ({ name }) => {
      const place = [scene.model.checkins.key, scene.group.name]
      const dropped = Number(await scene.send('XGROUP', 'DELCONSUMER', ...place, name))
      scene.history.note(`XGROUP DELCONSUMER ${name}: ${dropped} entries dropped`)
      return dropped
    }),
}

/** The group destroyed and created again at the beginning of the stream, in one step. */
export const recreateAtZero: Fault = {
  kind: 'group created again at 0',
  lane,
  strike: async (scene) => {
    const { crew, model, group, history } = scene
    const applied = history.entries.size
    // Some notice and end; that is right, and not what is looked at here.
    const before = [...crew.members]
    for (const member of before) crew.dismiss(member)
    const script = `redis.call('XGROUP', 'DESTROY', KEYS[1], ARGV[1])
return redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')`
    await scene.send('EVAL', script, '1', model.checkins.key, group.name)
    history.note('group created again at 0')
    await Promise.all([crew.hire('processor'), crew.hire('processor')])
    return applied
  },
}

/** No mistake: a user's key of another type, so that entries are refused. */
export const wrongType: Fault = {
  kind: 'key of another type',
  lane,
  strike: async (scene) => {
    const { appender, model } = scene
    await scene.send('SET', model.userKey(barredUser), 'text')
    const sent = await appender.append(50, { sort: 'barred', userId: barredUser })
    return sent.length
  },
}

const barredUser = 800_000
