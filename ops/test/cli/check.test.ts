/** What monitoring systems get: an exit code, and one line with the worst first. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runOps } from '../../../testing/processes.ts'
import { freePort } from '../../../testing/redis-servers.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

describe('millrace check', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run } = stage
  const check = (...args: string[]) => run('check', ...args)
  const ago = (seconds: number): string => `${Date.now() - seconds * 1000}-0`

  test('knows nothing without a group, a stream or a server', async () => {
    const none = await check('--lag-warn', '1')
    assert.equal(none.code, 3)
    assert.match(none.stdout, /^UNKNOWN there is no stream with a group at redis:\S+\n$/)
    await stage.redis.send('XGROUP', 'CREATE', 'orders', 'desk', '0', 'MKSTREAM')
    const wrong = await check('--stream', 'orders', '--group', 'dsk', '--format', 'nagios')
    assert.equal(wrong.code, 3)
    assert.match(wrong.stdout, /^MILLRACE UNKNOWN - there is no stream with group "dsk" of stream/)
    const url = `redis://127.0.0.1:${await freePort()}`
    const away = await runOps(['check', '--format', 'json'], { env: { REDIS_URL: url } }).exited
    assert.equal(away.code, 3)
    const { status, failure } = JSON.parse(away.stdout) as { status: string; failure: string }
    assert.equal(status, 'unknown')
    assert.match(failure, /^Cannot connect/)
  })

  test('a wrong flag is no verdict: unknown, not critical', async () => {
    for (const args of [
      ['--lag-warn', 'many'],
      ['--nope'],
      ['--lag-warn', '9', '--lag-critical', '8'],
    ]) {
      const { code, stdout } = await check(...args)
      assert.equal(code, 3, args.join(' '))
      assert.equal(stdout, '')
    }
  })

  test('an idle group is ok', async () => {
    const { code, stdout } = await check('--lag-warn', '1', '--time-lag-critical', '1s')
    assert.equal(stdout, 'OK orders desk: Idle: no consumers, nothing waiting\n')
    assert.equal(code, 0)
  })

  test('warns from the threshold on, and is critical from the other', async () => {
    for (const seconds of [40, 30, 20]) {
      await stage.redis.send('XADD', 'orders', ago(seconds), 'field', 'value')
    }
    const codeOf = async (...args: string[]) => (await check(...args)).code
    assert.equal(await codeOf('--lag-warn', '4'), 0)
    assert.equal(await codeOf('--lag-warn', '3'), 1)
    assert.equal(await codeOf('--lag-warn', '2', '--lag-critical', '3'), 2)
    assert.equal(await codeOf('--time-lag-warn', '30s', '--time-lag-critical', '10m'), 1)
    assert.equal(await codeOf('--time-lag-critical', '30s'), 2)
    assert.equal(await codeOf('--time-lag-critical', '10m'), 0)
    assert.equal(await codeOf('--dead-letters-warn', '1'), 0)
    await stage.redis.send('XADD', 'orders:desk:dead', '*', 'id', '1-0', 'reason', 'refused')
    assert.equal(await codeOf('--dead-letters-warn', '1'), 1)
    assert.equal(await codeOf('--pending-warn', '1'), 0)
    await stage.redis.send(
      'XREADGROUP',
      'GROUP',
      'desk',
      'ada',
      'COUNT',
      '1',
      'STREAMS',
      'orders',
      '>',
    )
    assert.equal(await codeOf('--pending-critical', '1'), 2)
    assert.equal(await codeOf('--pending-age-warn', '30s'), 1)
    assert.equal(await codeOf('--consumers-min', '1'), 0)
    assert.equal(await codeOf('--consumers-min', '2'), 2)
    assert.equal(await codeOf('--memory-warn', '90'), 0)
  })

  test('an age that no id tells is unknown, not 0', async () => {
    await stage.redis.send('XGROUP', 'CREATE', 'timeless', 'desk', '0', 'MKSTREAM')
    await stage.redis.send('XADD', 'timeless', '1-0', 'field', 'value')
    const { code, stdout } = await check('--stream', 'timeless', '--time-lag-warn', '1s')
    assert.match(stdout, /^UNKNOWN timeless desk: time lag unknown; /)
    assert.equal(code, 3)
    await stage.redis.send('DEL', 'timeless')
  })

  test('tells the worst group first, in one line, in each format', async () => {
    await stage.redis.send('XGROUP', 'CREATE', 'quiet', 'mail', '0', 'MKSTREAM')
    const args = ['--lag-warn', '1', '--time-lag-warn', '5s', '--time-lag-critical', '15s']
    const text = await check(...args)
    assert.match(
      text.stdout,
      /^CRITICAL orders desk: time lag [\d.]+ (?:s|min) \(critical from 15\.0 s\), lag 2 \(warning from 1\); [A-Z][^\n]*\n$/,
    )
    const nagios = await check(...args, '--format', 'nagios')
    assert.match(
      nagios.stdout,
      /^MILLRACE CRITICAL - orders desk: [^|\n]* \| 'orders desk time-lag'=[\d.]+s;5;15;0 'orders desk lag'=2;1;;0 'quiet mail lag'=0;1;;0 'quiet mail time-lag'=0s;5;15;0\n$/,
    )
    const json = await check(...args, '--format', 'json')
    const verdict = JSON.parse(json.stdout) as {
      status: string
      exitCode: number
      groups: { group: string; status: string; measures: { measure: string; status: string }[] }[]
    }
    assert.deepEqual([verdict.status, verdict.exitCode], ['critical', 2])
    assert.deepEqual(
      verdict.groups.map(({ group, status }) => [group, status]),
      [
        ['desk', 'critical'],
        ['mail', 'ok'],
      ],
    )
    const prometheus = await check(...args, '--format', 'prometheus')
    assert.match(prometheus.stdout, /^millrace_check_status 2$/m)
    assert.match(
      prometheus.stdout,
      /^millrace_check_group_status\{stream="quiet",group="mail"\} 0$/m,
    )
    assert.match(
      prometheus.stdout,
      /^millrace_check_value\{stream="orders",group="desk",measure="lag"\} 2$/m,
    )
    for (const { code, stdout } of [text, nagios]) {
      assert.equal(code, 2)
      assert.equal(stdout.trimEnd().includes('\n'), false)
    }
  })

  test('judges by the state where there is no threshold', async () => {
    // Of a group of others it is known that nobody works where it has no consumer.
    await stage.redis.send('XGROUP', 'DELCONSUMER', 'orders', 'desk', 'ada')
    const { code, stdout } = await check('--stream', 'orders')
    assert.match(stdout, /^CRITICAL orders desk: Nobody works: no consumers, 2 waiting, time lag /)
    assert.equal(code, 2)
  })
})
