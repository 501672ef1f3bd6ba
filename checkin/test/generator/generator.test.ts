import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { connect } from 'millrace'
import { runMain } from '../../../testing/processes.ts'
import { freePort } from '../../../testing/redis-servers.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { CheckinGenerator, type GeneratorOptions } from '../../src/generator/generator.ts'
import { randomCheckins } from '../../src/generator/random-checkins.ts'
import { Schedule } from '../../src/generator/schedule.ts'
import { createReceiver } from '../../src/receiver/receiver.ts'
import { collectingLog, receiverStage } from '../stage/receiver-stage.ts'

const defaults = { users: 1000, locations: 210, seed: 1, rate: 1000 }

function generatorTo(
  url: string,
  options: Partial<GeneratorOptions> = {},
): { generator: CheckinGenerator; lines: string[] } {
  const { log, lines } = collectingLog('debug')
  const address = new URL('/api/checkin', url)
  const generator = new CheckinGenerator({
    ...defaults,
    count: undefined,
    ...options,
    url: address,
    log,
  })
  return { generator, lines }
}

/** A server that answers as the test says: for what our receiver does not do on demand. */
async function answering(t: TestContext, listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const finished = (run: Promise<void>): Promise<void> =>
  within(run, { what: 'the generator to end' })

test('random check-ins stay within bounds, and a seed repeats them', () => {
  const bound = fc.integer({ min: 1, max: 1e9 })
  fc.assert(
    fc.property(fc.integer({ min: 0 }), bound, bound, (seed, users, locations) => {
      const [one, same] = [1, 2].map(() => randomCheckins({ seed, users, locations }))
      for (let at = 0; at < 20; at += 1) {
        const checkin = one!.next().value
        assert.deepEqual(same!.next().value, checkin)
        const { userId, locationId, starRating } = checkin
        assert.ok([userId, locationId, starRating].every(Number.isSafeInteger))
        assert.ok(userId >= 1 && userId <= users)
        assert.ok(locationId >= 1 && locationId <= locations)
        assert.ok(starRating >= 0 && starRating <= 5)
      }
    }),
  )
})

test('random check-ins reach every user, location and star', () => {
  const checkins = randomCheckins({ seed: 1, users: 50, locations: 20 })
  const seen = { userId: new Set(), locationId: new Set(), starRating: new Set() }
  for (let drawn = 0; drawn < 2000; drawn += 1) {
    const checkin = checkins.next().value
    for (const name of ['userId', 'locationId', 'starRating'] as const) {
      seen[name].add(checkin[name])
    }
  }
  const { userId, locationId, starRating } = seen
  assert.deepEqual([userId.size, locationId.size, starRating.size], [50, 20, 6])
})

test('schedule keeps its rate whatever the delays, and forgets what is older than a second', () => {
  const schedule = new Schedule(10, 0)
  const due: number[] = []
  for (let now = 0; now <= 1000; now += 35) {
    while (schedule.dueInMs(now) <= 0) {
      schedule.begin(now)
      due.push(now)
    }
  }
  assert.equal(due.length, 10)
  assert.equal(schedule.dueInMs(1000), 0)
  let begun = 0
  while (schedule.dueInMs(60_000) <= 0) {
    schedule.begin(60_000)
    begun += 1
  }
  // One that was overdue, and one every 100 ms of the last second with both its ends.
  assert.equal(begun, 12)
})

test('generator ends after the count, and every check-in is in the stream', async (t) => {
  const { url, entries } = await receiverStage(t)
  const { generator, lines } = generatorTo(url, { count: 300, rate: 3000 })
  await finished(generator.run())
  assert.equal((await entries()).length, 300)
  assert.equal(lines.at(-1), 'Generated 300 checkins in all.')
  const line = /^Generated checkin for user \d{1,4} at location \d{1,3} with rating [0-5]\.$/
  assert.equal(lines.filter((each) => line.test(each)).length, 300)
})

test('the same seed posts the same check-ins', async (t) => {
  const { url, entries, redis } = await receiverStage(t)
  const streams: string[][] = []
  for (let run = 1; run <= 2; run += 1) {
    await finished(generatorTo(url, { count: 50, seed: 42 }).generator.run())
    // Those that are under way together may arrive in another order.
    streams.push((await entries()).map(([, fields]) => fields.join()).sort())
    await redis.send('DEL', 'ncc:checkins')
  }
  assert.equal(streams[0]?.length, 50)
  assert.deepEqual(streams[0], streams[1])
})

test('generator waits for a receiver that is away, warns once, and goes on by itself', async (t) => {
  const { redis, proxy } = await receiverStage(t)
  const port = await freePort()
  const { generator, lines } = generatorTo(`http://127.0.0.1:${port}`, { count: 20 })
  const run = generator.run()
  await waitFor(() => lines.some((line) => line.includes('takes no check-ins')), {
    what: 'the warning',
  })
  const millrace = await connect({ url: proxy.url })
  const { log } = collectingLog()
  const model = checkinModel('ncc')
  const group = millrace.group(model.checkins, 'checkinConsumers')
  const late = createReceiver({ millrace, model, group, log })
  t.after(async () => {
    await late.close()
    await millrace.close()
  })
  await late.listen({ host: '127.0.0.1', port })
  await finished(run)
  assert.equal(await redis.send('XLEN', 'ncc:checkins'), 20)
  assert.deepEqual(
    lines
      .filter((line) => line.startsWith('Receiver'))
      .map((line) => line.replace(/after [\d.]+ s/, 'after N s')),
    [
      `Receiver at http://127.0.0.1:${port} takes no check-ins (ECONNREFUSED). Trying again.`,
      `Receiver at http://127.0.0.1:${port} takes check-ins again, after N s.`,
    ],
  )
})

test('generator goes on after an outage of Redis', async (t) => {
  const { url, redis, lines } = await receiverStage(t)
  const { generator, lines: said } = generatorTo(url, { count: 200 })
  const run = generator.run()
  await waitFor(async () => Number(await redis.send('XLEN', 'ncc:checkins')) > 20, {
    what: 'check-ins',
  })
  await redis.send('CONFIG', 'SET', 'maxmemory', '1')
  await waitFor(() => said.some((line) => line.includes('503')), { what: 'the warning' })
  await redis.send('CONFIG', 'SET', 'maxmemory', '0')
  await finished(run)
  assert.equal(await redis.send('XLEN', 'ncc:checkins'), 200)
  assert.equal(lines.filter((line) => line.startsWith('Answering with 503')).length, 1)
})

test('generator stays away as long as Retry-After says', async (t) => {
  const times: number[] = []
  const url = await answering(t, (request, response) => {
    request.resume()
    times.push(performance.now())
    if (times.length === 1) response.writeHead(503, { 'retry-after': '1' }).end()
    else response.writeHead(202).end()
  })
  await finished(generatorTo(url, { count: 1, rate: 1 }).generator.run())
  const [refused = 0, taken = 0] = times
  assert.ok(taken - refused > 990, `came back after ${taken - refused} ms`)
})

test('generator gives up where nobody knows check-ins', async (t) => {
  const url = await answering(t, (_request, response) => void response.writeHead(404).end())
  const { generator } = generatorTo(url)
  await assert.rejects(finished(generator.run()), {
    name: 'CommandError',
    message: `Cannot post check-ins to ${url}/api/checkin: it answers 404 Not Found. Is it the address of the receiver? Name it with --url`,
  })
})

test('generator ends at once when it is stopped, whatever is under way', async (t) => {
  let asked = 0
  const url = await answering(t, () => void (asked += 1))
  const { generator } = generatorTo(url)
  const run = generator.run()
  await waitFor(() => asked > 0, { what: 'a check-in without an answer' })
  await generator.stop()
  await finished(run)
})

test('the command ends with exit code 0 after its count and on SIGINT', async (t) => {
  const { url, redis } = await receiverStage(t)
  const to = ['checkingenerator', '--url', `${url}/api/checkin`, '--rate', '5']
  const counted = runMain([...to, '--count', '2', '--users', '1', '--locations', '1'])
  const endless = runMain(to, { env: { LOG_FORMAT: 'pretty' } })
  await endless.waitForLine(
    /^info: Generated checkin for user \d+ at location \d+ with rating \d\.$/,
  )
  endless.kill('SIGINT')
  const { code, stdout } = await endless.exited
  assert.equal(code, 0)
  assert.match(stdout, /Generated \d+ checkins in all/)
  assert.equal((await counted.exited).code, 0)
  const entries = (await redis.send('XRANGE', 'ncc:checkins', '-', '+')) as [string, string[]][]
  const alone = entries.filter(([, [, location, , user]]) => location === '1' && user === '1')
  assert.ok(alone.length >= 2)
})

test('the command refuses wrong flags with exit code 2', async () => {
  const wrong: [args: string[], message: RegExp][] = [
    [['--rate', '0'], /Allowed is a number from 0\.001 to 100000/],
    [['--rate', '-1'], /Allowed is a number/],
    [['--count', '1.5'], /Allowed is an integer from 1/],
    [['--url', 'ftp://x'], /Allowed is a URL like/],
    [['--users', '0'], /Allowed is an integer from 1/],
    [['--seed', 'x'], /Allowed is an integer from 0/],
    [['surplus'], /too many arguments/],
  ]
  const runs = wrong.map(([args]) => runMain(['checkingenerator', ...args]).exited)
  for (const [index, { code, stderr }] of (await Promise.all(runs)).entries()) {
    assert.equal(code, 2)
    assert.match(stderr, wrong[index]![1])
  }
})
