/** What nobody should do to a stream, for the negative controls. */
import type { Fault } from '../fault.ts'
import { freezeHolding } from '../holding.ts'

const lane = 'operators'

/** XTRIM MAXLEN while a consumer holds entries. */
export const bareTrim: Fault = {
  kind: 'XTRIM MAXLEN',
  lane,
  strike: async (scene, random) => {
    const victim = random.pick(scene.crew.holding)
    const held = await freezeHolding(scene, victim)
    await scene.send('XTRIM', scene.model.checkins.key, 'MAXLEN', '0')
    scene.history.note('XTRIM MAXLEN 0')
    await scene.crew.kill(victim)
    await scene.crew.hire(victim.kind)
    return held
  },
}

/** XGROUP DELCONSUMER of a consumer that holds entries. */
export const bareDelconsumer: Fault = {
  kind: 'XGROUP DELCONSUMER',
  lane,
  strike: async (scene, random) => {
    const victim = random.pick(scene.crew.holding)
    await freezeHolding(scene, victim)
    const place = [scene.model.checkins.key, scene.group.name]
    const dropped = Number(await scene.send('XGROUP', 'DELCONSUMER', ...place, victim.name))
    scene.history.note(`XGROUP DELCONSUMER ${victim.name}: ${dropped} entries dropped`)
    await scene.crew.kill(victim)
    await scene.crew.hire(victim.kind)
    return dropped
  },
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
