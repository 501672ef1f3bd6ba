/** Test 14: a trimmer at full speed beside consumers that die, a slow group, and new groups at the head of the stream. */
import assert from 'node:assert/strict'
import type { Reply } from 'millrace/operate'
import { runMain } from '../../../testing/processes.ts'
import type { Scene } from '../../../chaos/scene.ts'
import { freezeHolding } from '../../../chaos/holding.ts'
import { assertExact, onOldestAndNewestScene } from './scenes.ts'

const groups = 6

onOldestAndNewestScene('a trim overtakes nobody', {}, async (scene, random, t) => {
  const { crew, appender, recorder, server, model, history } = scene
  await Promise.all([crew.hire('processor'), crew.hire('processor'), crew.hire('handler')])
  const args = ['trim', '--keep', '0', '--every', '20ms']
  const trimmer = runMain(args, { env: { REDIS_URL: server.url } })
  t.after(() => trimmer.kill('SIGKILL'))
  appender.start({ burst: 80, pauseMs: 20 })
  let ahead = 0
  for (let round = 0; round < groups; round += 1) {
    // The recorder is the slow group: it sleeps in every other round, and still has to see every entry.
    recorder.pause(round % 2 === 0)
    const first = await newGroup(scene, `late${round}`)
    const victim = random.pick(crew.holding)
    await freezeHolding(scene, victim)
    await crew.kill(victim)
    await crew.hire(victim.kind)
    const begin = await firstOf(scene, `late${round}`)
    await scene.send('XGROUP', 'DESTROY', model.checkins.key, `late${round}`)
    // Without an entry there is nothing to overtake.
    if (first === '') continue
    assert.equal(begin, first, `seed ${scene.seed}: a new group begins where the stream began`)
    ahead += 1
  }
  recorder.pause(false)
  const entries = await assertExact(scene)
  const trimmed = entries - Number(await scene.send('XLEN', model.checkins.key))
  trimmer.kill()
  const { code, stderr } = await trimmer.exited
  assert.equal(code, 0, stderr)
  assert.ok(trimmed > 0 && ahead > 0, `void: ${trimmed} trimmed, ${ahead} groups had entries`)
  t.diagnostic(`${trimmed} of ${entries} entries trimmed, ${history.timeline.length} events`)
})

/** Creates a group at 0. Returns the id that the stream begins with at this moment; empty when there is no entry. */
async function newGroup(scene: Scene, name: string): Promise<string> {
  const script = `redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0')
local head = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
return head and head[1] or ''`
  return String(await scene.send('EVAL', script, '1', scene.model.checkins.key, name))
}

/** The first entry that the group delivers; empty when there is none. */
async function firstOf(scene: Scene, name: string): Promise<string> {
  const { key } = scene.model.checkins
  const read = ['XREADGROUP', 'GROUP', name, 'late', 'COUNT', '1', 'STREAMS', key, '>']
  const reply = (await scene.send(...read)) as [[string, [string, Reply][]]] | null
  return reply?.[0][1][0]?.[0] ?? ''
}
