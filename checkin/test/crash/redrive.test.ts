/** Two operators redrive everything at the same time, while a processor is killed with -9 amid what it took of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Stage } from './stage.ts'

const refusedUsers = Array.from({ length: 20 }, (_, at) => `ncc:users:${at + 1}`)

onOldestAndNewest('redrive', (bench) => {
  test('by two operators, with a kill -9, counts every check-in once', async (t) => {
    const { url } = bench().server
    const stage = await Stage.open(url)
    t.after(() => stage.close())
    const { millrace, group } = stage
    // Small batches, so that the victim is often amid one.
    const flags = ['--batch', '10', '--claim-after', '400ms']
    await Promise.all(refusedUsers.map((key) => millrace.send('SET', key, 'text')))
    const running = [
      await stage.startProcessor('consumer1', ...flags),
      await stage.startProcessor('consumer2', ...flags),
    ]
    stage.startAppending(400, 5)
    await waitFor(async () => (await group.describe()).deadLetters > 500, {
      what: '500 dead letters',
      timeoutMs: 30_000,
    })
    await stage.stopAppending()
    await stage.untilDrained()
    const refused = await group.deadLetters.count({ all: true, reason: 'refused' })
    await millrace.send('DEL', ...refusedUsers)

    const args = ['dead-letters', 'redrive', '--reason', 'refused', '--rate', '500', '--json']
    const operators = [1, 2].map(() => runMain(args, { env: { REDIS_URL: url } }))
    const [victim] = running.splice(0, 1)
    const heldByVictim = async (): Promise<number> =>
      (await group.describe()).consumers.find(({ name }) => name === 'consumer1')?.pending ?? 0
    // Frozen, so that what it holds when it is looked at is what it holds when it dies.
    const held = await waitFor(
      async () => {
        victim?.kill('SIGSTOP')
        const count = await heldByVictim()
        if (count === 0) victim?.kill('SIGCONT')
        return count
      },
      { what: 'redriven entries that the victim holds', everyMs: 3, timeoutMs: 20_000 },
    )
    victim?.kill('SIGKILL')
    const place = `At ${url}, stream "ncc:checkins", group "checkinConsumers":\n`
    const ended = await Promise.all(operators.map(({ exited }) => exited))
    assert.deepEqual(
      ended.map(({ code, stderr }) => [code, stderr]),
      [
        [0, place],
        [0, place],
      ],
    )
    await stage.untilDrained()
    const redriven = ended.map(
      ({ stdout }) => (JSON.parse(stdout) as { redriven: number }).redriven,
    )
    t.diagnostic(`${redriven.join(' and ')} of ${refused} redriven, ${held} died with a processor`)
    assert.equal(redriven[0]! + redriven[1]!, refused)
    await stage.verdict()
    await stage.stopProcessors(running)
  })
})
