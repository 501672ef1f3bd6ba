/** What a script meets is told as what it is: the right by its command, the key by its name, anything else by its words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys, streamLedger } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor, within } from '../../../testing/wait-for.ts'
import { Connection } from '../../src/redis/connection.ts'
import { readAddress } from '../../src/redis/server-address.ts'
import { scriptFailure } from '../../src/scripts/script-failure.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  visit,
  type Fixture,
} from '../stage/fixture.ts'
import { composed, runScript } from '../stage/script-calls.ts'

const lastId = '18446744073709551615-18446744073709551615'
const handler = (): void => undefined

function told(error: unknown, code: string): string {
  assert.ok(error instanceof MillraceError, String(error))
  assert.equal(error.code, code, error.message)
  return error.message
}

onEachServer('a missing right', (bench) => {
  test('is named with its subcommand, where a script just asks', async (t) => {
    const { redis, visits } = await freshGroup(bench())
    await redis.send('ACL', 'SETUSER', 'looks', 'on', '>pw', '~*', '+@all', '-xinfo|stream')
    const millrace = await connectFor(t, { url: bench().server.url.replace('//', '//looks:pw@') })
    await assert.rejects(millrace.group(visits, 'desk').recovery(), (error) => {
      const message = told(error, 'AUTHENTICATION')
      assert.ok(message.includes('Grant it: ACL SETUSER <user> +xinfo|stream'), message)
      return true
    })
  })

  test('is named by its command, wherever a script meets it', async (t) => {
    const rights = [
      'ZSCORE',
      'HGET',
      'XRANGE',
      'XGROUP SETID',
      'XINFO GROUPS',
      'HSET',
      'TIME',
      'TYPE',
    ]
    for (const [at, right] of rights.entries()) {
      const fixture = await freshGroup(bench())
      await appendVisits(fixture, 3)
      // TYPE is asked only where entries become dead letters.
      await fixture.redis.send('XADD', fixture.visits.key, '*', 'guest', 'nobody')
      const subcommand = right.toLowerCase().replace(' ', '|')
      const rule = ['on', '>pw', '~*', '+@all', `-${subcommand}`]
      await fixture.redis.send('ACL', 'SETUSER', `lacks${at}`, ...rule)
      const url = bench().server.url.replace('//', `//lacks${at}:pw@`)
      const millrace = await connectFor(t, { url })
      const limited = { ...fixture, group: millrace.group(fixture.visits, 'desk') }
      const message = told(await startConsumer(t, limited, 'one').ended, 'AUTHENTICATION')
      const isNamed = message.includes(`lacks the right to ${right}, or to use it on these keys`)
      // The reply to a command of its own names it, too.
      assert.ok(isNamed || message.includes(`'${subcommand}'`), `${right}: ${message}`)
      assert.ok(message.includes(`Grant it: ACL SETUSER <user> +${subcommand}`), message)
    }
  })
})

onEachServer('a key of another type', (bench) => {
  const roles = ['deadLetters', 'leases', 'holders', 'ledger', 'retries'] as const
  for (const role of roles) {
    test(`is named: ${role}`, async (t) => {
      const fixture = await freshGroup(bench())
      const key = groupKeys(fixture.visits.key, 'desk')[role]
      await fixture.redis.send('SET', key, 'text')
      await fixture.redis.send('XADD', fixture.visits.key, '*', 'guest', 'nobody')
      const { ended } = startConsumer(t, fixture, 'one', role === 'retries' ? { handler } : {})
      const message = told(await ended, 'WRONG_TYPE')
      assert.ok(message.includes(`"${key}" is a key of another type: it holds a string`), message)
      if (role === 'holders' || role === 'leases') {
        await assert.rejects(fixture.group.roster(), (error: unknown) =>
          told(error, 'WRONG_TYPE').includes(key),
        )
      }
      if (role === 'ledger' || role === 'retries') {
        await assert.rejects(fixture.group.balance(), (error: unknown) =>
          told(error, 'WRONG_TYPE').includes(key),
        )
      }
    })
  }

  test('is named by the balance: the ledger of the stream', async () => {
    const { redis, visits, group } = await freshGroup(bench())
    const key = streamLedger(visits.key)
    await redis.send('SET', key, 'text')
    await assert.rejects(group.balance(), (error: unknown) =>
      told(error, 'WRONG_TYPE').includes(`"${key}"`),
    )
  })
})

onEachServer('an unknown reply in a script', (bench) => {
  test('is told by its first words, without what may be content', async (t) => {
    const address = readAddress(bench().server.url)
    const connection = await Connection.open({ address, name: 'codes' })
    t.after(() => connection.close())
    const ask = composed(
      "#!lua\n-- @include parts/checks\nreturn { error_code(ARGV[1], 'HGET', KEYS[1]) }",
    )
    const codeOf = async (text: string): Promise<string> =>
      String((await runScript(connection, ask, ['nokey'], [text]))[0])
    const code = await codeOf("ERR odd state of 's3cret'\r\n+OK")
    assert.equal(code, 'unexpected ERR odd state of ')
    assert.match(
      told(scriptFailure('Cannot try', code), 'REFUSED'),
      /^Cannot try: the server answered what was not expected: "ERR odd state of"\./,
    )
    assert.equal(await codeOf('NOPERM User x has no permissions to run'), 'no-permission HGET')
  })
})

async function atLastId(fixture: Fixture): Promise<void> {
  await appendVisits(fixture, 3)
  const flat = Object.entries(visit(1)).flatMap(([name, value]) => [name, String(value)])
  await fixture.redis.send('XADD', fixture.visits.key, lastId, ...flat)
}

onEachServer('the last possible id', (bench) => {
  for (const [mode, options] of [
    ['push-down', {}],
    ['pull', { handler }],
  ] as const) {
    test(`ends no consumer: ${mode}`, async (t) => {
      const fixture = await freshGroup(bench())
      await atLastId(fixture)
      const running = startConsumer(t, fixture, 'one', options)
      await untilDrained(fixture)
      await waitFor(async () => (await effects(fixture)).guests === 4, { what: 'all effects' })
      await running.consumer.stop()
      assert.equal(await running.ended, undefined)
      const again = startConsumer(t, fixture, 'two', { ...options, drain: true })
      assert.equal(await again.ended, undefined)
      const { undelivered, unaccounted } = await fixture.group.balance()
      assert.deepEqual([undelivered, unaccounted], [0, 0])
      assert.equal((await fixture.group.recovery()).condition, 'healthy')
      const { millrace, visits } = fixture
      await assert.rejects(millrace.append(visits, visit(1)), { code: 'EXHAUSTED' })
      const batch = millrace.appendBatch(visits, [{ values: visit(1) }])
      await assert.rejects(batch, { code: 'EXHAUSTED', message: /at its last possible id/ })
    })
  }
})

onEachServer('what others wrote into our keys', (bench) => {
  test('a retry of what is no id is removed', async (t) => {
    const fixture = await freshGroup(bench())
    const { retries } = groupKeys(fixture.visits.key, 'desk')
    for (const id of ['abc', '1-', '99999999999999999999999-0']) {
      await fixture.redis.send('ZADD', retries, '0', id)
    }
    // Else the first sweep removes the schedule as a whole.
    await fixture.redis.send(
      'XADD',
      fixture.visits.key,
      '1-0',
      'guest',
      '1',
      'room',
      '1',
      'stars',
      '1',
    )
    await fixture.redis.send(
      'XREADGROUP',
      'GROUP',
      'desk',
      'retry',
      'STREAMS',
      fixture.visits.key,
      '>',
    )
    const running = startConsumer(t, fixture, 'one', { handler, claimAfterMs: 100 })
    await waitFor(async () => (await fixture.redis.send('EXISTS', retries)) === 0, {
      what: 'the members to be removed',
    })
    await running.consumer.stop()
    assert.equal(await running.ended, undefined)
  })

  test('a holder that is no record of ours is told as that', async (t) => {
    const fixture = await freshGroup(bench())
    const { holders, leases } = groupKeys(fixture.visits.key, 'desk')
    const running = startConsumer(t, fixture, 'one', { claimAfterMs: 100 })
    await waitFor(async () => (await fixture.redis.send('HEXISTS', holders, 'one')) === 1, {
      what: 'the lease',
    })
    const record = '{"token":"another","leaseMs":600000}'
    const write =
      "redis.call('HSET', KEYS[1], 'one', ARGV[1]) redis.call('ZADD', KEYS[2], redis.call('TIME')[1] * 1000 + 60000, 'one')"
    await fixture.redis.send('EVAL', write, '2', holders, leases, record)
    const ended = await within(running.ended, { what: 'the end of the consumer' })
    assert.match(
      told(ended, 'SUPERSEDED'),
      /has its name now: somebody whose record in the holders is none of ours/,
    )
  })
})
