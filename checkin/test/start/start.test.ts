import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runMain, type MainProcess } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { startEmbedded } from '../../src/embedded/embedded-server.ts'
import { indexKeys } from '../../src/loader/indexes.ts'

const skip = existsSync('/proc/self/stat') ? false : 'children are found by /proc'
const working = /done [1-9][\d,]*\/s/
const silent = { info: () => undefined, warn: () => undefined }

interface Stage {
  /** Of a service of its own: data folder, and any free port. */
  readonly env: Readonly<Record<string, string>>
  /** Runs `npm start` until it has shown that work is done. It ends with the test, if not before. */
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<MainProcess>
}

function setTheStage(t: TestContext): Stage {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-start-'))
  const env = { MILLRACE_DATA_DIR: folder, CHECKIN_RECEIVER_PORT: '0' }
  const services: MainProcess[] = []
  t.after(async () => {
    for (const service of services) service.kill('SIGTERM')
    await Promise.all(services.map(({ exited }) => exited))
    // Takes over what a killed service has left, and ends it.
    await (await startEmbedded(silent, folder)).stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const start = async (more: Readonly<Record<string, string>> = {}): Promise<MainProcess> => {
    const service = runMain(['start'], { env: { ...env, ...more } })
    services.push(service)
    await service.waitForLine(working, { timeoutMs: 30_000 })
    return service
  }
  return { env, start }
}

/** The children of a process: process id and command line. */
function childrenOf(parent: number): { pid: number; commandLine: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      // The name, in parentheses, may hold anything; the state and the parent come after it.
      const [, ppid] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      if (Number(ppid) !== parent) return []
      const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')
      // tsx compiles in a process of its own.
      if (commandLine.includes('esbuild')) return []
      return [{ pid: Number(name), commandLine }]
    } catch {
      // It has ended while we looked.
      return []
    }
  })
}

function childOf(service: MainProcess, command: string): number {
  const child = childrenOf(service.pid).find(({ commandLine }) => commandLine.includes(command))
  assert.ok(child, `${command} is no child of the service`)
  return child.pid
}

function alive(pids: readonly number[]): number[] {
  return pids.filter((pid) => existsSync(`/proc/${pid}`))
}

async function allGone(pids: readonly number[]): Promise<void> {
  await waitFor(() => alive(pids).length === 0, { what: `the end of ${pids.join(', ')}` })
}

test(
  'start runs the whole service, stops it in order, and finds its data again',
  { skip },
  async (t) => {
    const { start } = setTheStage(t)
    const first = await start()
    const [page = ''] = /http:\S+/.exec(await first.waitForLine(/^Console: +http:\S+\/$/)) ?? []
    assert.match(await (await fetch(page)).text(), /<title>Millrace<\/title>/)
    const pids = childrenOf(first.pid).map(({ pid }) => pid)
    // Redis, receiver, two processors, generator.
    assert.equal(pids.length, 5)
    first.kill('SIGINT')
    const { code, stdout, stderr } = await first.exited
    assert.equal(code, 0, stderr)
    assert.match(stderr, /loading sample data[^]*Loaded [\d,]+ users/)
    assert.match(stdout, /^Receiver: +http:\S+\/api\/checkin$/m)
    assert.match(stdout, /^redis-cli: redis-cli -p \d+$/m)
    // Who drains how much is chance: of a few check-ins, one may have all.
    const [, ...shares] = /consumer1 ([\d,]+), consumer2 ([\d,]+)/.exec(stdout) ?? []
    const done = shares.reduce((sum, share) => sum + Number(share.replaceAll(',', '')), 0)
    t.diagnostic(`shares ${shares.join(' and ')}`)
    assert.ok(done > 0, stdout)
    assert.match(stdout, /Best locations.*\n(?: +\d stars +[\d,]+ check-ins {2}\S.*\n){5}/)
    assert.deepEqual(alive(pids), [])

    const second = await start()
    second.kill('SIGTERM')
    const again = await second.exited
    assert.equal(again.code, 0)
    assert.doesNotMatch(again.stderr, /sample data|Leaderboards/)
  },
)

test('start builds the leaderboards of data that is older than they are', { skip }, async (t) => {
  const { env, start } = setTheStage(t)
  const server = await startRedis()
  t.after(() => server.stop())
  const url = { REDIS_URL: server.url }
  assert.equal((await runMain(['load'], { env: { ...env, ...url } }).exited).code, 0)
  const redis = await server.client()
  const model = checkinModel('ncc')
  await redis.send('DEL', ...indexKeys(model))
  const service = await start(url)
  service.kill('SIGTERM')
  const { code, stderr } = await service.exited
  assert.equal(code, 0, stderr)
  assert.match(stderr, /Leaderboards are missing: building them/)
  assert.equal(await redis.send('ZCARD', model.users.rankings.numCheckins ?? ''), 1000)
  assert.equal(await redis.send('ZCARD', model.geoKey), 210)
})

test('start replaces a processor that dies', { skip }, async (t) => {
  const service = await setTheStage(t).start()
  const pid = childOf(service, 'group-processor consumer1')
  process.kill(pid, 'SIGKILL')
  await service.waitForLine(/consumer1 ended with signal SIGKILL/)
  await service.waitForLine(/consumer1 starts again in 0.5 s/)
  await waitFor(
    () => childrenOf(service.pid).some(({ commandLine }) => commandLine.includes(' consumer1 ')),
    { what: 'another consumer1' },
  )
  service.kill('SIGINT')
  assert.equal((await service.exited).code, 0)
})

for (const [part, command] of [
  ['receiver', 'checkinreceiver'],
  ['generator', 'checkingenerator'],
  ['redis-server', 'redis-server'],
] as const) {
  test(
    `start ends with an error when its ${part} dies, and leaves nothing behind`,
    { skip },
    async (t) => {
      const service = await setTheStage(t).start()
      const pids = childrenOf(service.pid).map(({ pid }) => pid)
      process.kill(childOf(service, command), 'SIGKILL')
      const { code, stderr } = await within(service.exited, { what: 'its end', timeoutMs: 30_000 })
      assert.equal(code, 1)
      assert.match(stderr, new RegExp(`error: Cannot go on: the ${part} (?:has )?ended`))
      assert.deepEqual(alive(pids), [])
    },
  )
}

test(
  'start that is killed takes its processes along; Redis waits for the next one',
  { skip },
  async (t) => {
    const { start } = setTheStage(t)
    const service = await start()
    const redis = childOf(service, 'redis-server')
    const pids = childrenOf(service.pid).map(({ pid }) => pid)
    service.kill('SIGKILL')
    await service.exited
    await allGone(pids.filter((pid) => pid !== redis))
    assert.deepEqual(alive([redis]), [redis])
    const next = await start()
    assert.match(next.stderr, /Taking over the embedded server/)
    next.kill('SIGINT')
    assert.equal((await next.exited).code, 0)
    await allGone([redis])
  },
)

test('start that is stopping says so to the next Ctrl-C', { skip }, async (t) => {
  const service = await setTheStage(t).start()
  // A frozen receiver makes the end last.
  process.kill(childOf(service, 'checkinreceiver'), 'SIGSTOP')
  service.kill('SIGINT')
  await waitFor(
    () => {
      if (service.stderr.includes('Already stopping')) return true
      service.kill('SIGINT')
      return false
    },
    { what: 'the answer', everyMs: 50 },
  )
  const { code, stderr } = await within(service.exited, { what: 'its end', timeoutMs: 20_000 })
  assert.match(stderr, /receiver does not end by itself and is killed/)
  assert.equal(code, 0)
})

test('start uses the server of REDIS_URL and leaves it running', { skip }, async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const service = await setTheStage(t).start({ REDIS_URL: server.url })
  service.kill('SIGINT')
  assert.equal((await service.exited).code, 0)
  assert.equal(await (await server.client()).send('EXISTS', 'ncc:checkins'), 1)
})

test('start refuses a stream without its group, and says how to create it', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const client = await server.client()
  await client.send('XADD', 'ncc:checkins', '*', 'locationId', 1, 'userId', 1, 'starRating', 1)
  const env = { ...setTheStage(t).env, REDIS_URL: server.url }
  const { code, stderr } = await runMain(['start'], { env }).exited
  assert.equal(code, 1)
  assert.match(stderr, /stream "ncc:checkins" has no group "checkinConsumers".*groups create/)
})

test('start refuses a port that is in use', async (t) => {
  const program = createServer().listen(0, '127.0.0.1')
  await once(program, 'listening')
  t.after(() => program.close())
  const port = String((program.address() as AddressInfo).port)
  const env = { ...setTheStage(t).env, CHECKIN_RECEIVER_PORT: port }
  const { code, stderr } = await runMain(['start'], { env }).exited
  assert.equal(code, 1)
  assert.match(stderr, /port \d+ of 127\.0\.0\.1 is in use.*CHECKIN_RECEIVER_PORT/)
})
