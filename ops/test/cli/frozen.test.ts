/** What the operator's commands say of a server that is frozen: before they ask, and amid their work. */
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { runOps } from '../../../testing/processes.ts'
import { startRedis } from '../../../testing/redis-servers.ts'
import { startProxy } from '../../../testing/tcp-proxy.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

const where = /It is frozen or overloaded, or the network loses what is sent: look at its process/

describe('millrace at a server that is frozen', { concurrency: false }, () => {
  const stage = new OperatorStage()

  /** Runs a command, and lets nothing pass any more behind its first request that holds the match. */
  async function frozenBehind(t: TestContext, match: string, args: readonly string[]) {
    const proxy = await startProxy(Number(new URL(stage.url).port))
    t.after(() => proxy.close())
    proxy.blackHoleBehind(match)
    return { url: proxy.url, ...(await runOps([...args, '--redis', proxy.url]).exited) }
  }

  test('says so when it connects, also where nobody named the server', async (t) => {
    const server = await startRedis()
    t.after(() => server.stop())
    server.pause()
    const ends = await Promise.all([
      runOps(['doctor', '--redis', server.url]).exited,
      runOps(['groups'], { env: { REDIS_URL: server.url } }).exited,
    ])
    server.resume()
    for (const { stderr } of ends) {
      assert.ok(stderr.includes(`Cannot connect to ${server.url}: no answer came within 5 s.`))
      assert.match(stderr, where)
    }
    assert.deepEqual(
      ends.map(({ code }) => code),
      [3, 1],
    )
  })

  test('says so amid its work, with the code for what could not be looked at', async (t) => {
    await stage.foreign('orders', { held: 1 })
    const at = ['--stream', 'orders', '--group', 'billing']
    const looks = [
      ['TYPE', ['doctor', ...at], 3],
      ['XINFO', ['doctor', ...at], 3],
      ['XINFO', ['groups', '--stream', 'orders'], 1],
      ['SCAN', ['groups'], 1],
      ['XPENDING', ['pending', ...at], 1],
      ['XINFO', ['consumers', ...at], 1],
    ] as const
    const ends = await Promise.all(
      looks.map(async ([match, args, code]) => ({
        ...{ args, wanted: code },
        ...(await frozenBehind(t, match, args)),
      })),
    )
    for (const { args, wanted, url, code, stderr } of ends) {
      assert.equal(code, wanted, `${args.join(' ')}: ${stderr}`)
      const told = `error: Cannot look: ${url} does not answer any more. `
      assert.ok(stderr.startsWith(told), `${args.join(' ')}: ${stderr}`)
      assert.match(stderr, where)
    }
  })

  test('leaves open whether a change was made', async (t) => {
    await stage.foreign('changed', {})
    const args = ['groups', 'create', '--stream', 'changed', '--group', 'desk']
    const { code, stderr, url } = await frozenBehind(t, 'XGROUP', args)
    assert.equal(code, 1)
    assert.ok(stderr.includes(`error: Outcome unknown: ${url} does not answer any more. `))
    assert.match(stderr, /and what was done, before you run this again\n$/)
    const groups = await stage.redis.send('XINFO', 'GROUPS', 'changed')
    assert.match(JSON.stringify(groups), /"desk"/)
  })

  test('tells a connection that was cut from one that is silent', async (t) => {
    await stage.foreign('cut', {})
    const proxy = await startProxy(Number(new URL(stage.url).port))
    t.after(() => proxy.close())
    proxy.cutBeforeReply('XPENDING')
    const args = ['pending', '--stream', 'cut', '--group', 'billing', '--redis', proxy.url]
    const { code, stderr } = await runOps(args).exited
    assert.equal(code, 1)
    assert.ok(stderr.startsWith(`error: Cannot look: the connection to ${proxy.url} was lost. `))
    assert.match(stderr, /look whether it runs, and what its log says last, then run this again\n$/)
  })
})
