/** What comes in from outside and what operators do: poison, trimming, redriving. */
import type { Reply } from 'millrace/operate'
import type { Fault } from '../fault.ts'
import { cameTrue } from '../holding.ts'

const lane = 'operators'

/** A burst of entries that cannot be decoded, amid the others. */
const poison: Fault = {
  kind: 'poison entries',
  lane,
  strike: async (scene, random) => {
    const letters = async (): Promise<number> =>
      Number(await scene.send('XLEN', scene.keys.deadLetters))
    const before = await letters()
    const sent = await scene.appender.append(random.between(5, 60), { sort: 'poison' })
    const isThere = await cameTrue(scene, 10_000, async () => (await letters()) > before)
    scene.history.note(`${sent.length} poison entries appended`)
    return isThere ? sent.length : 0
  },
}

const trim: Fault = {
  kind: 'trim',
  lane,
  strike: async (scene, random) => {
    const keep = String(random.pick([0, 100, 1000]))
    const { code, stdout, stderr } = await scene.command('trim', '--keep', keep, '--json')
    const removed = code === 0 ? (JSON.parse(stdout) as { removed?: number }).removed : undefined
    scene.history.note(`trim to ${keep}: ${removed ?? stderr}`)
    return removed ?? 0
  },
}

/** A user's key of another type makes dead letters; when it is gone, two operators redrive all of them at once. */
const redrive: Fault = {
  kind: 'dead letters redriven by two operators',
  lane,
  strike: async (scene, random) => {
    const { appender, history, group } = scene
    scene.barredUsers += 1
    const userId = barredFrom + scene.barredUsers
    const key = scene.model.userKey(userId)
    await scene.send('SET', key, 'text')
    const refused = async (): Promise<number> =>
      await scene.untilPassed(() => group.deadLetters.count({ all: true, reason: 'refused' }))
    // Those of earlier strikes whose entries were trimmed stay.
    const before = await refused()
    let hasLetters = false
    // An append may meet a server that is away.
    for (let tries = 0; tries < 5 && !hasLetters; tries += 1) {
      await appender.append(random.between(10, 60), { sort: 'barred', userId })
      hasLetters = await cameTrue(scene, 3000, async () => (await refused()) > before)
    }
    // What is not refused by now takes effect when the key is gone.
    // Only the text: sent twice, since a reply was lost, it must not take the hash that is there by then.
    await scene.send('EVAL', deleteText, '1', key)
    const args = ['dead-letters', 'redrive', '--reason', 'refused', '--json']
    const ended = await Promise.all([scene.command(...args), scene.command(...args)])
    // Exit code 1 says that some stay, as their entries were trimmed, or that a command failed and printed why.
    const counts = ended.map(
      ({ stdout }) => (JSON.parse(stdout || '{}') as { redriven?: number }).redriven ?? 0,
    )
    const said = ended.map(({ stderr }) => stderr.trim().slice(-200)).join(' / ')
    history.note(`redriven of user ${userId}: ${counts.join(' and ')} ${said}`)
    return hasLetters ? counts.reduce((sum, count) => sum + count, 0) : 0
  },
}

const deleteText =
  "return redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('DEL', KEYS[1])"

const barredFrom = 800_000

/** An entry whose id says an hour ahead of the clock: all later ones come after it. */
const futureIds: Fault = {
  kind: 'entry ids ahead of the clock',
  lane,
  strike: async (scene) => {
    const info = (await scene.send('XINFO', 'STREAM', scene.model.checkins.key)) as Reply[]
    const last = Number(String(info[info.indexOf('last-generated-id') + 1]).split('-')[0])
    const [operation] = await scene.appender.append(1, { id: `${last + 3_600_000}-0` })
    scene.history.note(`an entry an hour ahead: ${String(operation?.outcome)}`)
    return operation?.outcome === 'ok' ? 1 : 0
  },
}

export const operatorFaults: readonly Fault[] = [poison, trim, redrive, futureIds]
