/**
 * The group is destroyed, moved back, or its stream deleted amid the work of three processors: they end with one clear
 * error and re-create nothing; `npx checkin recover` counts nothing twice and says what cannot be known.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { runMain, type Ended, type MainProcess } from '../../../testing/processes.ts'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { Stage } from './stage.ts'

const key = 'ncc:checkins'
const name = 'checkinConsumers'
const userBlock = 1_000_000

interface Recovered {
  readonly condition: string
  readonly unknown: number
  readonly lettersWritten: number
}

/** Three processors, and a stream in which every check-in is that of a user of its own: its effect can be seen. */
class Scene {
  readonly stage: Stage
  readonly #bench: Bench
  #appended = 0
  #appending: Promise<void> | undefined
  #isOver = false

  constructor(bench: Bench, stage: Stage) {
    this.#bench = bench
    this.stage = stage
  }

  static async open(t: TestContext, bench: Bench): Promise<Scene> {
    await bench.redis.send('FLUSHALL')
    const stage = await Stage.open(bench.server.url)
    const scene = new Scene(bench, stage)
    t.after(async () => {
      await scene.stopAppending()
      await stage.close()
    })
    return scene
  }

  async processors(): Promise<MainProcess[]> {
    const names = ['consumer1', 'consumer2', 'consumer3']
    return await Promise.all(names.map((consumer) => this.stage.startProcessor(consumer)))
  }

  async append(many: number): Promise<void> {
    const sent = Array.from({ length: many }, () => {
      this.#appended += 1
      const fields = ['userId', String(userBlock + this.#appended), 'locationId', '7']
      return this.stage.millrace.send('XADD', key, '*', ...fields, 'starRating', '3')
    })
    await Promise.all(sent)
  }

  startAppending(): void {
    this.#appending = (async () => {
      while (!this.#isOver) await this.append(200)
    })()
  }

  async stopAppending(): Promise<void> {
    this.#isOver = true
    await this.#appending
  }

  async untilApplied(many: number): Promise<void> {
    const ledger = `${key}:${name}:ledger`
    const applied = async () => Number(await this.#bench.redis.send('HGET', ledger, 'applied'))
    await waitFor(async () => (await applied()) >= many, { what: `${many} check-ins applied` })
  }

  async recover(...flags: string[]): Promise<Ended> {
    const env = { REDIS_URL: this.#bench.server.url }
    return await runMain(['recover', ...flags], { env }).exited
  }

  async recovered(): Promise<Recovered> {
    const { code, stdout, stderr } = await this.recover('--execute', '--json')
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout) as Recovered
  }

  /** Effects of each user, 0 or 1: never more. */
  async effects(): Promise<Map<string, number>> {
    const entries = (await this.#bench.redis.send('XRANGE', key, '-', '+')) as [string, string[]][]
    const counts = await Promise.all(
      entries.map(([, fields]) =>
        this.#bench.redis.send('HGET', `ncc:users:${fields[1]}`, 'numCheckins'),
      ),
    )
    const effects = new Map(entries.map(([id], at) => [id, Number(counts[at] ?? 0)]))
    for (const [id, count] of effects) assert.ok(count <= 1, `${id} counted ${count} times`)
    return effects
  }
}

async function assertEnded(processes: readonly MainProcess[], message: RegExp): Promise<void> {
  for (const running of processes) {
    const { code, stderr } = await running.exited
    assert.equal(code, 1, stderr)
    assert.match(stderr, message)
    assert.match(stderr, /"npx checkin recover"/)
    assert.equal(stderr.split('error: ').length, 2, 'one clear error')
  }
}

onOldestAndNewest(
  'lost group',
  (bench) => {
    for (const fault of ['destroyed', 'moved back'] as const) {
      test(`that was ${fault} under load counts nothing twice, and loses nothing`, async (t) => {
        const scene = await Scene.open(t, bench())
        const { redis } = bench()
        const { stage } = scene
        const processors = await scene.processors()
        scene.startAppending()
        await scene.untilApplied(20_000)
        if (fault === 'destroyed') await redis.send('XGROUP', 'DESTROY', key, name)
        if (fault === 'moved back') await redis.send('XGROUP', 'SETID', key, name, '0')
        await assertEnded(processors, /does not exist|was moved back/)
        await scene.stopAppending()
        if (fault === 'destroyed') assert.deepEqual(await redis.send('XINFO', 'GROUPS', key), [])
        const refused = await runMain(['groups', 'create'], {
          env: { REDIS_URL: bench().server.url },
        }).exited
        if (fault === 'destroyed') {
          assert.equal(refused.code, 1)
          assert.match(
            refused.stderr,
            /was there before .* can be recovered with "npx checkin recover"/,
          )
        }

        const plan = await scene.recover()
        assert.equal(plan.code, 0, plan.stderr)
        assert.match(plan.stdout, /Nothing was changed/)
        const { unknown, lettersWritten } = await scene.recovered()
        assert.equal(lettersWritten, unknown)
        assert.match((await scene.recover('--execute')).stdout, /Nothing to recover/)
        const again = await scene.processors()
        await stage.untilDrained()

        const effects = await scene.effects()
        const { letters } = await stage.group.deadLetters.list({ count: 10_000 })
        const letterIds = new Set(letters.map(({ entryId }) => entryId))
        assert.equal(letterIds.size, letters.length)
        assert.equal(letters.length, unknown)
        const missing = [...effects].filter(([id, count]) => count === 0 && !letterIds.has(id))
        assert.deepEqual(missing, [])
        // The test knows what nobody else could.
        const notApplied = letters.filter(({ entryId }) => effects.get(entryId) === 0)
        await stage.group.deadLetters.redrive({ ids: notApplied.map(({ letterId }) => letterId) })
        await stage.group.deadLetters.purge({ all: true })
        await stage.untilDrained()
        const appended = await stage.verdict()
        t.diagnostic(
          `${appended} entries, ${unknown} unknown, of which ${notApplied.length} had not been applied`,
        )
        await stage.stopProcessors(again)
      })
    }

    test('whose stream was deleted goes on with what comes', async (t) => {
      const scene = await Scene.open(t, bench())
      const { redis } = bench()
      const processors = await scene.processors()
      await scene.append(5000)
      await scene.stage.untilDrained()
      await redis.send('DEL', key)
      await assertEnded(processors, /does not exist/)
      assert.equal(await redis.send('EXISTS', key), 0)
      assert.equal((await scene.recovered()).condition, 'no-stream')
      const again = await scene.processors()
      await scene.append(1000)
      await scene.stage.untilDrained()
      const counts = [...(await scene.effects()).values()]
      assert.deepEqual([counts.length, counts.includes(0)], [1000, false])
      assert.equal(await redis.send('HGET', 'ncc:locations:7', 'numCheckins'), '6000')
      await scene.stage.stopProcessors(again)
    })

    test('is not made up after FLUSHALL', async (t) => {
      const scene = await Scene.open(t, bench())
      const processors = await scene.processors()
      await scene.append(1000)
      await scene.stage.untilDrained()
      await bench().redis.send('FLUSHALL')
      await assertEnded(processors, /does not exist/)
      for (const flags of [[], ['--execute'], ['--execute', '--json']]) {
        const { code, stdout, stderr } = await scene.recover(...flags)
        const says = /nothing is known of what was processed\. .*restore a backup/
        assert.equal(code, 1)
        assert.match(stderr, says)
        if (flags.includes('--json')) {
          const { error } = JSON.parse(stdout) as { error: { message: string } }
          assert.match(error.message, says)
        } else assert.equal(stdout, '')
      }
      const left = (await bench().redis.send('KEYS', '*')) as string[]
      assert.deepEqual(
        left.filter((one) => one === key || one.endsWith(':ledger')),
        [],
      )
    })

    test('is not recovered while a processor may live, and at once when it is gone', async (t) => {
      const scene = await Scene.open(t, bench())
      const frozen = await scene.stage.startProcessor('frozen', '--claim-after', '1m')
      await scene.append(100)
      await scene.stage.untilDrained()
      frozen.kill('SIGSTOP')
      await bench().redis.send('XGROUP', 'DESTROY', key, name)
      const refused = await scene.recover('--execute')
      assert.equal(refused.code, 1)
      assert.match(refused.stderr, /consumers are alive: "frozen"\. Stop them first/)
      frozen.kill('SIGKILL')
      await frozen.exited
      assert.equal((await scene.recovered()).condition, 'no-group')
    })

    test('is told from a healthy one', async (t) => {
      const scene = await Scene.open(t, bench())
      const running = await scene.stage.startProcessor('consumer1')
      assert.match(
        (await scene.recover()).stdout,
        /has not settled|where its ledger left it\. Nothing to recover/,
      )
      await scene.append(1000)
      const { code, stdout } = await scene.recover('--execute')
      assert.equal(code, 0)
      assert.match(stdout, /where its ledger left it\. Nothing to recover/)
      await scene.stage.stopProcessors([running])
    })
  },
  { concurrency: false },
)
