/** `millrace doctor` of a group that lags: whether what waits grows, stands or shrinks, and who could work and does not. */
import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { groupKeys } from 'millrace/operate'
import { onOldestAndNewest, type Bench } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { diagnose, type Diagnosis } from '../../src/doctor/doctor.ts'
import { asText, exitCodeOf } from '../../src/doctor/report.ts'
import { order, found, key, model, name, placeAt, quick } from '../stage/doctor-stage.ts'

type OrderHandler = () => Promise<undefined>

onOldestAndNewest(
  'doctor of a group that lags',
  (bench) => {
    const begin = async (many = 0, firstId?: number) => {
      await bench().redis.send('FLUSHALL')
      await bench().millrace.group(model.orders, name).create()
      await append(bench(), many, firstId)
      return bench().millrace.group(model.orders, name)
    }

    test('finds a group that is paused while something waits, though nobody lives', async () => {
      const group = await begin(5)
      await group.pause()
      const diagnosis = await diagnose(placeAt(bench().millrace), quick)
      const [first, second] = [findingOf(diagnosis, 'paused'), findingOf(diagnosis, 'no-processor')]
      assert.deepEqual([first?.severity, second?.severity], ['problem', 'problem'])
      assert.match(
        first?.what ?? '',
        new RegExp(
          `The group is paused since 20.*Z by ${userInfo().username}@.* \\(process \\d+\\)`,
        ),
      )
      assert.match(first?.what ?? '', /Meanwhile 5 entries are undelivered \(the oldest .* old\)/)
      assert.equal(exitCodeOf(diagnosis.findings), 2)
    })

    test('finds that all who live are paused, while it grows', async (t) => {
      const group = await begin()
      const workers = ['one', 'two'].map((consumer) => work(t, bench(), consumer))
      await untilAlive(bench(), 2)
      for (const consumer of ['one', 'two']) await group.pause({ consumer })
      await bench().redis.send('HDEL', groupKeys(key, name).holders, '@paused:two')
      assert.equal((await found(bench(), 'paused'))?.severity, 'info')
      await Promise.all(workers.map(({ paused }) => paused))
      await append(bench(), 3)
      const diagnosis = await whileAppending(bench(), () =>
        diagnose(placeAt(bench().millrace), { everyMs: 200 }),
      )
      const finding = findingOf(diagnosis, 'paused')
      assert.equal(finding?.severity, 'problem')
      assert.match(
        finding.what,
        // Who made the pause of two is not noted, as by older versions.
        /Consumer one is paused since .* by .*\. Consumer two is paused since [^ ]+Z\. Meanwhile .* more each second/,
      )
      await group.resume({ consumer: 'two' })
      await waitFor(async () => (await found(bench(), 'paused'))?.severity === 'info', {
        what: 'the one that works to be enough',
      })
    })

    test('warns of a paused consumer that holds what is pending, beside one that works', async (t) => {
      const group = await begin()
      const hanging = work(t, bench(), 'one', { handler: () => hanging.over })
      await untilAlive(bench(), 1)
      await append(bench(), 1)
      await waitFor(async () => (await group.describe()).pending === 1, { what: 'the delivery' })
      await group.pause({ consumer: 'one' })
      work(t, bench(), 'two')
      await untilAlive(bench(), 2)
      assert.equal((await found(bench(), 'paused'))?.severity, 'warning')
    })

    test('finds a lag that grows though somebody works', async (t) => {
      await begin(50)
      const slow = work(t, bench(), 'one', { handler: () => slow.over })
      await untilAlive(bench(), 1)
      const diagnosis = await whileAppending(bench(), () =>
        diagnose(placeAt(bench().millrace), { everyMs: 200 }),
      )
      const finding = findingOf(diagnosis, 'lag-grows')
      assert.equal(finding?.severity, 'problem')
      assert.match(
        finding.what,
        /^Processing does not keep up: .* \(the oldest .* old\), [\d,.]+ more each second \([\d,.]+\/s in, 0\/s done\)/,
      )
      assert.match(
        asText(diagnosis, { isColour: false }),
        /\nFlow: [\d,.]+\/s in, 0\/s done; the oldest undelivered /,
      )
      assert.equal(exitCodeOf(diagnosis.findings), 2)
    })

    test('finds a lag that stands still though somebody lives', async (t) => {
      await begin(50)
      const slow = work(t, bench(), 'one', { handler: () => slow.over })
      await untilAlive(bench(), 1)
      await waitFor(() => found(bench(), 'lag-stands'), { what: 'the finding' })
      assert.equal((await found(bench(), 'lag-stands'))?.severity, 'problem')
    })

    test('does not worry about old entries that are worked off, and says how long it takes', async (t) => {
      await begin(2000, Date.UTC(2021, 0, 1))
      work(t, bench(), 'one', { handler: () => delay(2, undefined) })
      await untilAlive(bench(), 1)
      const look = () => diagnose(placeAt(bench().millrace), { everyMs: 100 })
      const diagnosis = await waitFor(
        async () => {
          const looked = await look()
          return findingOf(looked, 'catching-up') === undefined ? undefined : looked
        },
        { what: 'the finding' },
      )
      const finding = findingOf(diagnosis, 'catching-up')
      assert.equal(finding?.severity, 'info')
      assert.match(finding.what, /oldest [\d,]+ h old.*, nothing waits any more in about /)
      const about = ['lag-grows', 'lag-stays', 'lag-stands', 'no-processor', 'paused']
      for (const check of about) assert.equal(findingOf(diagnosis, check), undefined)
    })

    test('tells no age by ids that are no time', async () => {
      const { redis, millrace } = bench()
      await begin()
      await redis.send('XADD', key, '5-0', 'a', 'b')
      const small = await diagnose(placeAt(millrace), quick)
      assert.equal(small.flow?.oldestUndeliveredMs, null)
      await redis.send('FLUSHALL')
      await begin()
      await redis.send('XADD', key, '99999999999999-0', 'a', 'b')
      const ahead = await diagnose(placeAt(millrace), quick)
      assert.equal(ahead.flow?.oldestUndeliveredMs, null)
      assert.doesNotMatch(findingOf(ahead, 'no-processor')?.what ?? '', /old/)
    })

    test('sees who lives before anything was delivered to it', async (t) => {
      await begin()
      work(t, bench(), 'newcomer')
      await untilAlive(bench(), 1)
      assert.equal(await found(bench(), 'no-processor'), undefined)
    })
  },
  { concurrency: false, appendonly: 'everysec', args: ['--aof-load-truncated', 'no'] },
)

const findingOf = ({ findings }: Diagnosis, check: string) =>
  findings.find((finding) => finding.check === check)

async function append({ millrace }: Bench, many: number, firstId?: number): Promise<void> {
  const additions = Array.from({ length: many }, (_, at) => ({
    values: order,
    ...(firstId !== undefined && { id: `${firstId + at}-0` }),
  }))
  await millrace.appendMany(model.orders, additions)
}

/** Appends all the while. */
async function whileAppending<Value>(bench: Bench, act: () => Promise<Value>): Promise<Value> {
  let isOver = false
  const appending = (async () => {
    while (!isOver) await append(bench, 10)
  })()
  try {
    return await act()
  } finally {
    isOver = true
    await appending
  }
}

/** A consumer that works until the test ends; `over` resolves then, `paused` when it is. With a handler, one entry at a time. */
function work(
  t: TestContext,
  { millrace }: Bench,
  consumer: string,
  { handler }: { handler?: OrderHandler } = {},
): { over: Promise<undefined>; paused: Promise<void> } {
  let tellPaused = (): void => undefined
  const paused = new Promise<void>((resolve) => {
    tellPaused = resolve
  })
  const worker = millrace.group(model.orders, name).consumer(consumer, {
    projections: [model.customers],
    observer: { paused: () => tellPaused() },
    ...(handler !== undefined && { handler, concurrency: 1, inHandMax: 1 }),
  })
  let end: (none: undefined) => void = () => undefined
  const over = new Promise<undefined>((resolve) => {
    end = resolve
  })
  const run = worker.run()
  t.after(async () => {
    end(undefined)
    await worker.stop()
    await run
  })
  return { over, paused }
}

async function untilAlive({ millrace }: Bench, many: number): Promise<void> {
  const group = millrace.group(model.orders, name)
  const living = async () => (await group.roster()).filter(({ state }) => state === 'alive')
  await waitFor(async () => (await living()).length === many, { what: `${many} to live` })
}
