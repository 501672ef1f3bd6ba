/** The connection: sent at most once, always settled, healed by itself. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect, isPassing, MillraceError } from 'millrace'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { freePort, startRedis } from '../../../testing/redis-servers.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { openConnection } from '../stage/connections.ts'
import { connectFor, visit, visitModel } from '../stage/fixture.ts'

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof MillraceError ? error.code : String(error)),
  )

onEachServer('connection', (bench) => {
  test('is refused with the URL, without its password', async () => {
    const url = `redis://ada:secret@127.0.0.1:${await freePort()}`
    const error = await connect({ url }).catch((reason: unknown) => reason)
    assert.ok(error instanceof MillraceError && error.code === 'UNREACHABLE')
    assert.match(error.message, /ada:\*\*\*@127\.0\.0\.1/)
    assert.doesNotMatch(error.message, /secret/)
  })

  test('for blocking reads waits in silence for longer than an answer may take', async (t) => {
    const connection = await openConnection(t, bench().server.url)
    const reading = await connection.duplicate({ name: 'reads' })
    t.after(() => reading.destroy())
    // Pings behind it would find no answer after 2 + 6 s.
    const read = ['XREAD', 'BLOCK', '9000', 'STREAMS', freshPrefix(), '$']
    assert.equal(await reading.send(read, 15_000), null)
  })

  test('is refused when the password is wrong, without printing it', async (t) => {
    const { kind } = bench()
    const guarded = await startRedis({ kind })
    t.after(() => guarded.stop())
    await (await guarded.client()).send('CONFIG', 'SET', 'requirepass', 'right')
    const url = new URL(guarded.url)
    url.password = 'wrong-secret'
    const error = await connect({ url: url.href }).catch((reason: unknown) => reason)
    assert.ok(error instanceof MillraceError && error.code === 'AUTHENTICATION')
    assert.doesNotMatch(error.message, /wrong-secret/)
    assert.equal(await codeOf(connect({ url: guarded.url })), 'AUTHENTICATION')
    url.password = 'right'
    await (await connect({ url: url.href })).close()
  })

  test('is refused in whole sentences where the server asks back', async () => {
    const url = bench().server.url.replace('//', '//:secret@')
    const error = await connect({ url }).catch((reason: unknown) => reason)
    assert.match(String(error), /configuration is correct\? Check user and password$/)
  })

  test('is made although the first replies are lost, and told as refused if all are', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    // Not the SETINFO of the client's own.
    const check = /\$4\r\nINFO/
    proxy.cutBeforeReply(check, 2)
    await connectFor(t, { url: proxy.url })
    assert.equal(proxy.cuts, 2)
    proxy.cutBeforeReply(check, Infinity)
    const error = await connect({ url: proxy.url }).catch((reason: unknown) => reason)
    assert.ok(error instanceof MillraceError && error.code === 'UNREACHABLE', String(error))
    assert.doesNotMatch(error.message, /Outcome unknown/)
  })

  test('rejects at once while it is lost, queues nothing, and comes back', async (t) => {
    const server = await startRedis({ kind: bench().kind })
    t.after(() => server.stop())
    const { visits } = visitModel(freshPrefix())
    const seen: string[] = []
    const millrace = await connectFor(t, {
      url: server.url,
      onDisconnect: () => void seen.push('lost'),
      onReconnect: () => void seen.push('back'),
    })
    await server.kill9()
    await waitFor(() => !millrace.isConnected, { what: 'the loss to be noticed' })
    const refused = await Promise.all(
      Array.from({ length: 1000 }, () => codeOf(millrace.append(visits, visit(1)))),
    )
    assert.deepEqual(new Set(refused), new Set(['UNREACHABLE']))
    await server.restart()
    await waitFor(() => millrace.isConnected, { what: 'the connection to come back' })
    await millrace.append(visits, visit(1))
    assert.equal(await millrace.send('XLEN', visits.key), 1)
    assert.deepEqual(seen, ['lost', 'back'])
  })

  test('that the program has closed says so, so that nobody tries again for ever', async (t) => {
    const millrace = await connectFor(t, { url: bench().server.url })
    const { visits } = visitModel(freshPrefix())
    const group = millrace.group(visits, 'desk')
    await millrace.close()
    const calls = [
      () => millrace.append(visits, visit(1)),
      () => millrace.appendMany(visits, [{ values: visit(1) }]),
      () => millrace.appendBatch(visits, [{ values: visit(1) }]),
      () => millrace.send('PING'),
      () => millrace.checkWritable(),
      () => millrace.entryPage(visits.key),
      () => millrace.trim(visits),
      () => group.create(),
      () => group.describe(),
      () => group.deadLetters.purge({ all: true }),
      () => group.entryState('1-0'),
    ]
    for (const call of calls) {
      const error = await call().then(
        () => 'fulfilled',
        (reason: unknown) => reason,
      )
      assert.ok(
        error instanceof MillraceError && error.code === 'CLOSED',
        `${String(call)} ${String(error)}`,
      )
      assert.equal(isPassing(error), false)
    }
  })

  test('settles what is in flight when the connection is cut, and sends nothing twice', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const millrace = await connectFor(t, { url: proxy.url })
    const { visits } = visitModel(freshPrefix())
    proxy.cutBeforeReply('XADD')
    const codes = await within(
      Promise.all(Array.from({ length: 50 }, () => codeOf(millrace.append(visits, visit(1))))),
      { what: 'all appends to settle' },
    )
    assert.ok(codes.includes('DISCONNECTED'))
    await waitFor(() => millrace.isConnected, { what: 'the connection to come back' })
    const appended = Number(await bench().redis.send('XLEN', visits.key))
    const confirmed = codes.filter((code) => code === 'fulfilled').length
    assert.ok(appended >= confirmed && appended <= 50)
  })

  test('that is closed while it is made anew leaves nothing open', async (t) => {
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const millrace = await connectFor(t, { url: proxy.url })
    proxy.blackHole(true)
    proxy.cutAll()
    await waitFor(() => proxy.connections === 1, { what: 'the next attempt' })
    await millrace.close()
    proxy.blackHole(false)
    await waitFor(() => proxy.connections === 0, { what: 'its end', timeoutMs: 10_000 })
  })

  test('that is closed while a silent server is asked ends at once', async (t) => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const proxy = await startProxy(bench().server.port)
    t.after(() => proxy.close())
    const millrace = await connectFor(t, { url: proxy.url })
    proxy.pointTo((silent.address() as AddressInfo).port)
    await waitFor(() => proxy.connections === 1, { what: 'the next attempt' })
    await millrace.close()
    // Less than an attempt may take.
    await waitFor(() => proxy.connections === 0, { what: 'its end', timeoutMs: 3000 })
  })

  test('gives up a frozen server after some seconds, and goes on when it thaws', async (t) => {
    const server = await startRedis({ kind: bench().kind })
    t.after(() => server.stop())
    const millrace = await connectFor(t, { url: server.url })
    server.pause()
    const error = await within(Promise.resolve(millrace.send('PING').catch(String)), {
      what: 'the command to settle',
      timeoutMs: 15_000,
    })
    assert.equal(error, `MillraceError: Outcome unknown: ${server.url} fell silent`)
    assert.equal(await codeOf(millrace.send('PING')), 'UNREACHABLE')
    server.resume()
    await waitFor(() => codeOf(millrace.send('PING')).then((now) => now === 'fulfilled'), {
      what: 'the connection to come back',
    })
  })

  test('names the reasons of a server that cannot write', async (t) => {
    const server = await startRedis({ kind: bench().kind })
    t.after(() => server.stop())
    const millrace = await connectFor(t, { url: server.url })
    const admin = await server.client()
    const append = () => codeOf(millrace.append(visitModel('x').visits, visit(1)))
    await admin.send('CONFIG', 'SET', 'maxmemory', '1')
    assert.equal(await append(), 'SERVER_FULL')
    await admin.send('CONFIG', 'SET', 'maxmemory', '0')
    await admin.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
    assert.equal(await append(), 'SERVER_BUSY')
    await admin.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await admin.send('REPLICAOF', '127.0.0.1', '1')
    assert.equal(await append(), 'READ_ONLY')
    await admin.send('REPLICAOF', 'NO', 'ONE')
    assert.equal(await append(), 'fulfilled')
    await admin.send('SET', 'x:visits', 'text')
    assert.equal(await append(), 'WRONG_TYPE')
  })
})
