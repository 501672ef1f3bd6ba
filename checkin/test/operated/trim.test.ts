import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { CommandStage } from '../stage/command-stage.ts'

describe('npx checkin trim', { concurrency: 2 }, () => {
  const stage = new CommandStage('trim')
  const { run } = stage
  const length = (prefix: string) => stage.redis.send('XLEN', `${prefix}:checkins`)

  test('trim removes what is processed, and keeps what was asked for', async () => {
    await stage.fill('plain', 20, 20)
    const { code, stdout, stderr } = await run('plain', '--keep', '5')
    assert.match(stderr, /^At redis:.*, stream "plain:checkins", group "checkinConsumers":\n$/)
    assert.equal(code, 0)
    assert.equal(
      stdout,
      'Stream plain:checkins: trimmed 15 check-ins, 5 stay.\n' +
        'Frontier 20-0: the last one that group "checkinConsumers" has been delivered; nothing before it is pending.\n',
    )
    assert.equal(await length('plain'), 5)
    const again = await run('plain', '--keep=5', '--keep-for=24h')
    assert.match(again.stdout, /^Stream plain:checkins: nothing to trim, 5 stay\.\n/)
  })

  test('trim keeps a thousand check-ins unless told otherwise', async () => {
    await stage.fill('default', 20, 20)
    assert.match((await run('default')).stdout, /nothing to trim, 20 stay/)
  })

  test('trim explains who holds the stream, and removes nothing', async () => {
    const key = await stage.fill('dry', 30, 10)
    await stage.deliver(key, { count: 5 })
    const { code, stdout } = await run('dry', '--dry-run', '--keep', '0')
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^Stream dry:checkins: 10 of 30 check-ins would go, 20 stay\.\nFrontier 11-0: the oldest pending check-in of group "checkinConsumers", with consumer "ada", idle for \d+(\.\d)? m?s, delivered once\.\n$/,
    )
    assert.equal(await length('dry'), 30)
    const json = JSON.parse((await run('dry', '--dry-run', '--keep=0', '--json')).stdout) as {
      readonly holder: { readonly idleMs: number }
    }
    const { idleMs } = json.holder
    const holder = { kind: 'pending', group: 'checkinConsumers', id: '11-0', consumer: 'ada' }
    assert.deepEqual(json, {
      stream: key,
      kind: 'explained',
      ...{ frontier: '11-0', cut: '11-0', removable: 10, isExact: true, length: 30 },
      holder: { ...holder, idleMs, deliveries: 1 },
    })
  })

  test('trim waits for a group that has not begun, and for the single processor when it has', async () => {
    const key = await stage.fill('slow', 20, 20)
    await stage.redis.send('SET', 'slow:checkinprocessor:lastid', '8-0')
    const single = await run('slow', '--keep', '0')
    assert.match(single.stdout, /trimmed 7 check-ins, 13 stay/)
    assert.match(
      single.stdout,
      /Frontier 8-0: the position of the single processor \(slow:checkinprocessor:lastid\)\./,
    )
    await stage.redis.send('XGROUP', 'CREATE', key, 'audit', '0')
    const group = await run('slow', '--keep', '0')
    assert.match(
      group.stdout,
      /nothing to trim, 13 stay\.\nFrontier 0-0: group "audit" has not read anything yet\./,
    )
  })

  test('trim leaves a stream without a group alone, and says so', async () => {
    const key = await stage.fill('bare', 20, 20)
    await stage.redis.send('XGROUP', 'DESTROY', key, 'checkinConsumers')
    const { code, stdout, stderr } = await run('bare', '--keep', '0', '--json')
    assert.equal(code, 1)
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } }
    assert.equal(error.code, 'FAILED')
    assert.match(
      error.message,
      /^Cannot trim stream "bare:checkins": it has no group and the single processor has no/,
    )
    assert.equal(stderr.split('\n').slice(1).join('\n'), `error: ${error.message}\n`)
    assert.equal(await length('bare'), 20)
  })

  test('trim keeps what a lost group had not settled, and sends to its recovery', async () => {
    const key = await stage.fill('lost', 20, 10)
    await stage.redis.send('HSET', `${key}:checkinConsumers:ledger`, 'since', 1, 'top', '10-0')
    await stage.redis.send('XGROUP', 'DESTROY', key, 'checkinConsumers')
    const { code, stdout } = await run('lost', '--keep', '0')
    assert.equal(code, 0)
    assert.match(stdout, /^Stream lost:checkins: trimmed 9 check-ins, 11 stay\./)
    assert.match(
      stdout,
      /\nFrontier 10-0: group "checkinConsumers" was lost, .* "npx checkin recover"/,
    )
    await stage.redis.send('XGROUP', 'CREATE', key, 'checkinConsumers', '$')
    const moved = await run('lost', '--keep', '0', '--dry-run')
    assert.match(
      moved.stdout,
      /: 0 of 11 check-ins would go, 11 stay\.\nFrontier 10-0: of what group/,
    )
  })

  test('trim says how to create a stream that is missing', async () => {
    const { code, stderr } = await run('missing')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^error: Cannot trim stream "missing:checkins": it does not exist\. If it was there before: "npx checkin recover"/m,
    )
  })

  test('trim goes on until it is stopped, and logs what it does', async (t) => {
    const key = await stage.fill('loop', 30, 10)
    const main = runMain(['trim', '--keep', '0', '--every', '20ms'], { env: stage.env('loop') })
    t.after(() => main.kill('SIGKILL'))
    await main.waitForLine(/Trimmed 9 check-ins, 21 stay\. Frontier 10-0: the last one/)
    await stage.deliver(key, { count: 20 })
    for (let id = 11; id <= 30; id += 1) {
      await stage.redis.send('XACK', key, 'checkinConsumers', `${id}-0`)
    }
    await waitFor(async () => (await length('loop')) === 1, { what: 'the rest to be trimmed' })
    main.kill('SIGTERM')
    const { code, stdout } = await main.exited
    assert.equal(code, 0)
    assert.match(stdout, /Trimmer: Stopped\./)
  })

  for (const args of [
    ['--keep', '-1'],
    ['--keep', 'x'],
    ['--keep-for', '24'],
    ['--keep-for', '1w'],
    ['--every', '1ms'],
    ['--every', '2d'],
    ['--every', '1s', '--json'],
    ['--every', '1s', '--dry-run'],
    ['more'],
  ]) {
    test(`trim refuses "${args.join(' ')}" as wrong usage`, async () => {
      const { code, stdout, stderr } = await run('usage', ...args)
      assert.equal(code, 2)
      assert.match(stderr, /^error: /m)
      const told = { code: 'USAGE', message: stderr.slice('error: '.length, -1) }
      const json = `${JSON.stringify({ error: told })}\n`
      assert.equal(stdout, args.includes('--json') ? json : '')
    })
  }
})
