/** Test 15: `maxmemory` is reached. Appends are refused, what is there is processed, and then appends go on. */
import assert from 'node:assert/strict'
import { waitFor } from '../../../testing/wait-for.ts'
import { recovers } from '../../../chaos/faults/server.ts'
import { assertExact, onEachScene } from './scenes.ts'

onEachScene(
  'a full server refuses appends, drains, and recovers',
  {},
  async (scene, _random, t) => {
    const { crew, appender, group, recoveries } = scene
    // A backlog, with poison: dead letters are written on the full server, too.
    for (let burst = 0; burst < 10; burst += 1) await appender.append(300)
    const used = /used_memory:(\d+)/.exec(String(await scene.send('INFO', 'memory')))?.[1] ?? '1'
    await scene.send('CONFIG', 'SET', 'maxmemory', used)
    appender.start({ burst: 20, pauseMs: 30 })
    await Promise.all([crew.hire('processor'), crew.hire('handler')])
    await waitFor(() => group.isDrained(), {
      what: 'the full server to be drained',
      timeoutMs: 30_000,
    })
    const refused = appender.refusals.get('SERVER_FULL') ?? 0
    assert.ok(refused > 0, 'void: nothing was refused')
    await scene.send('CONFIG', 'SET', 'maxmemory', '0')
    await recovers(scene)
    assert.ok(Math.max(...recoveries) < 5000, `went on after ${recoveries.join()} ms`)
    const entries = await assertExact(scene)
    t.diagnostic(
      `${refused} appends refused, ${entries} entries, went on after ${recoveries.join()} ms`,
    )
  },
)
