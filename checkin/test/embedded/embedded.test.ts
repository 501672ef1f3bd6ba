import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { connectClient, type RawReply } from '../../../testing/test-client.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { startEmbedded, type EmbeddedServer } from '../../src/embedded/embedded-server.ts'
import { runningServer } from '../../src/embedded/running-server.ts'

interface Folder {
  readonly path: string
  /** What starts on this folder have said. */
  readonly said: string[]
  start(): Promise<EmbeddedServer>
}

function freshFolder(t: TestContext): Folder {
  const path = mkdtempSync(join(tmpdir(), 'millrace embedded "ä"-'))
  const said: string[] = []
  const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) }
  t.after(async () => {
    // Whoever owned it is done: the next start owns and ends what still runs.
    await (await startEmbedded({ info: () => undefined, warn: () => undefined }, path)).stop()
    rmSync(path, { recursive: true, force: true })
  })
  return { path, said, start: () => startEmbedded(log, path) }
}

async function send(port: number, ...args: string[]): Promise<RawReply> {
  const client = await connectClient(port)
  try {
    return await client.send(...args)
  } finally {
    client.close()
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function kill(server: EmbeddedServer): Promise<void> {
  process.kill(server.pid, 'SIGKILL')
  await server.ended
}

/** The file that the server appends to. */
function appendOnlyFile(folder: Folder): string {
  const parent = join(folder.path, 'appendonlydir')
  const name = readdirSync(parent).find((file) => file.endsWith('.incr.aof'))
  return join(parent, name!)
}

test('embedded server starts with the settings that the promises need', async (t) => {
  const server = await freshFolder(t).start()
  t.after(() => server.stop())
  const expected = {
    appendonly: 'yes',
    appendfsync: 'everysec',
    'aof-load-truncated': 'no',
    'maxmemory-policy': 'noeviction',
    bind: '127.0.0.1',
    'protected-mode': 'yes',
    save: '',
  }
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(await send(server.port, 'CONFIG', 'GET', name), [name, value])
  }
  assert.equal(server.isOurs, true)
  assert.notEqual(server.port, 6379)
})

test('embedded server keeps port and data over an orderly stop, and leaves no process', async (t) => {
  const folder = freshFolder(t)
  const first = await folder.start()
  await send(first.port, 'SET', 'key', 'kept')
  await first.stop()
  assert.equal(isAlive(first.pid), false)
  assert.equal(await runningServer(folder.path), undefined)
  const second = await folder.start()
  assert.equal(second.port, first.port)
  assert.equal(await send(second.port, 'GET', 'key'), 'kept')
  await second.stop()
})

test('embedded server keeps its data over kill -9', async (t) => {
  const folder = freshFolder(t)
  const first = await folder.start()
  await send(first.port, 'SET', 'key', 'kept')
  await kill(first)
  // Lines of its start would say nothing of its end.
  assert.equal(await first.ended, 'It said nothing, so it was killed perhaps')
  assert.equal(await runningServer(folder.path), undefined)
  const second = await folder.start()
  assert.equal(await send(second.port, 'GET', 'key'), 'kept')
  await second.stop()
})

test('embedded server repairs a file that is torn inside a transaction, and what comes later stays', async (t) => {
  const folder = freshFolder(t)
  const first = await folder.start()
  await send(first.port, 'SET', 'before', 'kept')
  await send(first.port, 'EVAL', "redis.call('SET', 'a', '1') redis.call('SET', 'b', '1')", '0')
  await first.stop()
  const file = appendOnlyFile(folder)
  // Cuts the EXEC and a part of the second SET.
  truncateSync(file, statSync(file).size - 20)
  const second = await folder.start()
  assert.match(folder.said.join('\n'), /incomplete.*repairing[^]*Repaired: \d+ of \d+ bytes/)
  assert.deepEqual(await send(second.port, 'MGET', 'before', 'a', 'b'), ['kept', null, null])
  await send(second.port, 'SET', 'after', 'kept')
  await kill(second)
  const third = await folder.start()
  assert.deepEqual(await send(third.port, 'MGET', 'before', 'after'), ['kept', 'kept'])
  await third.stop()
})

test('embedded server with a file that is damaged in the middle is refused with what the server said', async (t) => {
  const folder = freshFolder(t)
  const first = await folder.start()
  await send(first.port, 'SET', 'key', 'kept')
  await first.stop()
  const file = appendOnlyFile(folder)
  const whole = readFileSync(file)
  writeFileSync(file, Buffer.concat([Buffer.from('nonsense\r\n'), whole]))
  await assert.rejects(folder.start(), {
    name: 'CommandError',
    message: /Cannot start the embedded server: [^]*Bad file format/,
  })
  writeFileSync(file, whole)
})

test('embedded server of another living process is used and left running', async (t) => {
  const folder = freshFolder(t)
  const env = { MILLRACE_DATA_DIR: folder.path }
  const owner = runMain(['redis'], { env })
  const line = await owner.waitForLine(/^Redis: +redis:/)
  const guest = await folder.start()
  assert.equal(guest.isOurs, false)
  assert.ok(line.endsWith(guest.url), line)
  await guest.stop()
  assert.deepEqual(await runningServer(folder.path), { url: guest.url })
  owner.kill('SIGINT')
  const { code, stderr } = await owner.exited
  assert.equal(code, 0, stderr)
  assert.equal(isAlive(guest.pid), false)
})

test('embedded server whose owner was killed goes on and belongs to the next start', async (t) => {
  const folder = freshFolder(t)
  const owner = runMain(['redis'], { env: { MILLRACE_DATA_DIR: folder.path } })
  await owner.waitForLine(/^Redis: +redis:/)
  const before = await runningServer(folder.path)
  await send(Number(new URL(before!.url).port), 'SET', 'key', 'kept')
  owner.kill('SIGKILL')
  await owner.exited
  assert.deepEqual(await runningServer(folder.path), before)
  const heir = await folder.start()
  assert.equal(heir.isOurs, true)
  assert.match(folder.said.join('\n'), /Taking over/)
  assert.equal(await send(heir.port, 'GET', 'key'), 'kept')
  await heir.stop()
  await waitFor(() => !isAlive(heir.pid), { what: 'the end of the server' })
})

test('embedded server is not run twice in the foreground', async (t) => {
  const folder = freshFolder(t)
  const server = await folder.start()
  t.after(() => server.stop())
  const second = runMain(['redis'], { env: { MILLRACE_DATA_DIR: folder.path } })
  const { code, stderr } = await second.exited
  assert.equal(code, 1)
  assert.match(stderr, /Cannot run the embedded server in this terminal: it runs already/)
})

test('embedded server is started once by many at the same time', async (t) => {
  const folder = freshFolder(t)
  const servers = await Promise.all(
    [1, 2, 3, 4].map(async () => {
      const one = runMain(['redis'], { env: { MILLRACE_DATA_DIR: folder.path } })
      await one.waitForLine(/^Redis: +redis:|runs already, for another one/)
      return one
    }),
  )
  assert.equal(servers.filter(({ stdout }) => stdout.includes('redis:')).length, 1)
  for (const one of servers) one.kill('SIGTERM')
  await within(Promise.all(servers.map(({ exited }) => exited)), { what: 'the end of all' })
})

test('two data folders have servers of their own at the same time', async (t) => {
  const [one, other] = await Promise.all([freshFolder(t).start(), freshFolder(t).start()])
  await send(one.port, 'SET', 'key', 'one')
  assert.equal(await send(other.port, 'GET', 'key'), null)
  await Promise.all([one.stop(), other.stop()])
})

test('embedded server takes another port when a program has its own, and remembers it', async (t) => {
  const folder = freshFolder(t)
  const first = await folder.start()
  await first.stop()
  const program = createServer((socket) => {
    socket.on('error', () => undefined).resume()
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  program.listen(first.port, '127.0.0.1')
  await once(program, 'listening')
  assert.equal(await runningServer(folder.path), undefined)
  const second = await folder.start()
  assert.notEqual(second.port, first.port)
  await second.stop()
  program.close()
  await once(program, 'close')
  const third = await folder.start()
  assert.equal(third.port, second.port)
  await third.stop()
})

test('embedded server that does not answer is not doubled', async (t) => {
  const folder = freshFolder(t)
  const server = await folder.start()
  t.after(() => server.stop())
  process.kill(server.pid, 'SIGSTOP')
  try {
    await assert.rejects(
      folder.start(),
      /start the embedded server: process \d+ on port \d+ seems to be the embedded server, but does not answer/,
    )
    await assert.rejects(
      runningServer(folder.path),
      /^CommandError: Cannot connect to Redis: process \d+ on port \d+ seems to be .*does not answer.*kill -CONT/,
    )
  } finally {
    process.kill(server.pid, 'SIGCONT')
  }
})

test('redis-server that is missing or too old is refused with the remedy', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-path-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const env = { MILLRACE_DATA_DIR: join(folder, 'data'), PATH: join(folder, 'bin') }
  mkdirSync(env.PATH)
  const without = await runMain(['redis'], { env }).exited
  assert.equal(without.code, 1)
  assert.match(without.stderr, /neither redis-server nor valkey-server .* "npm run setup"/)
  const old = join(env.PATH, 'redis-server')
  writeFileSync(old, '#!/bin/sh\necho Redis server v=6.2.14 sha=00000000:0\n')
  chmodSync(old, 0o755)
  const withOld = await runMain(['redis'], { env }).exited
  assert.equal(withOld.code, 1)
  assert.match(withOld.stderr, /is version 6\.2\.14, and Redis 7 or Valkey 8 is needed/)
  assert.equal(existsSync(join(env.MILLRACE_DATA_DIR, 'starting.lock')), false)
})
