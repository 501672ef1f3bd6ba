/** Test 13: the same batch dies with its consumer ten times. That says nothing about its entries. */
import assert from 'node:assert/strict'
import type { Reply } from 'millrace/operate'
import { waitFor } from '../../../testing/wait-for.ts'
import { assertExact, onOldestAndNewestScene } from './scenes.ts'

const kills = 10
const entries = 30

onOldestAndNewestScene(
  'a batch whose consumer is killed ten times leaves no dead letter',
  { claimAfterMs: 200 },
  async (scene) => {
    const { crew, appender, model, group, keys } = scene
    await appender.append(entries, { sort: 'plain' })
    for (let kill = 0; kill < kills; kill += 1) {
      // Another name each time: each claim raises the delivery counts.
      const hanging = await crew.hire('hanging')
      const holds = async (): Promise<boolean> => (await scene.pendingOf(hanging.name)) === entries
      await waitFor(holds, { what: `${hanging.name} to hold all entries`, timeoutMs: 20_000 })
      await crew.kill(hanging)
    }
    const rows = (await scene.send(
      'XPENDING',
      model.checkins.key,
      group.name,
      '-',
      '+',
      '100',
    )) as Reply[][]
    const deliveries = rows.map((row) => Number(row[3]))
    assert.ok(
      rows.length === entries && Math.min(...deliveries) >= kills,
      `void: ${deliveries.join()}`,
    )
    await crew.hire('processor')
    assert.equal(await assertExact(scene), entries)
    assert.equal(await scene.send('XLEN', keys.deadLetters), 0)
  },
)
