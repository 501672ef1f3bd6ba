/** How the operator's command is called: what it finds by itself, what it wants to be told, and how quickly it is there. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { runOps, thisCheckout } from '../../../testing/processes.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

describe('millrace', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run } = stage

  test('what looks finds the only group by itself, and asks where there are more', async () => {
    const none = await run('pending')
    assert.equal(none.code, 2)
    assert.match(
      none.stderr,
      /There is no stream with a group at redis:\S+ \(looked at all 0 keys\)/,
    )
    await stage.foreign('orders', { held: 1 })
    assert.match((await run('pending')).stdout, /^Group billing: 1 pending entry, 1 shown/)
    await stage.foreign('spaced out', { entries: 1, group: 'desk' })
    const many = await run('consumers')
    assert.equal(many.code, 2)
    assert.match(
      many.stderr,
      /There is more than one group at .*:\n {2}--stream orders --group billing\n {2}--stream 'spaced out' --group desk\n$/,
    )
    assert.equal((await run('consumers', '--group', 'desk')).code, 0)
  })

  for (const args of [
    ['trim'],
    ['recover', '--execute', '--stream', 'orders'],
    ['pause', '--group', 'billing'],
    ['consumers', 'remove', 'worker-1'],
    ['dead-letters', 'purge', '--all', '--yes'],
    ['groups', 'create'],
  ]) {
    test(`${args.join(' ')} guesses nothing`, async () => {
      const { code, stderr } = await run(...args)
      assert.equal(code, 2)
      assert.match(stderr, /Cannot change anything without --(?:stream|group)/)
    })
  }

  test('a failure is told in parts to programs', async () => {
    const { stdout, code } = await run('consumers', '--stream', 'orders', '--group', 'no', '--json')
    assert.equal(code, 1)
    assert.deepEqual(JSON.parse(stdout), {
      error: {
        code: 'NO_GROUP',
        message:
          'Cannot describe group "no" of stream "orders": the group does not exist. If it was there before and was lost: ' +
          '"npx millrace recover --stream orders --group no". If it is new: "npx millrace groups create --stream orders --group no"',
        action: 'Cannot describe group "no" of stream "orders"',
        state: 'the group does not exist',
        remedy:
          'If it was there before and was lost: "npx millrace recover --stream orders --group no". ' +
          'If it is new: "npx millrace groups create --stream orders --group no"',
      },
    })
  })

  test('a URL that cannot be used is told without its password, whatever it comes from', async () => {
    const { code, stderr } = await run('groups', '--redis', 'http://ada:secret@localhost')
    assert.equal(code, 2)
    assert.doesNotMatch(stderr, /secret/)
    const tls = { REDIS_URL: 'redis://localhost', REDIS_TLS_CA: '/no/such/file' }
    const wrong = await runOps(['groups'], { env: tls }).exited
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /REDIS_TLS_CA: it needs a REDIS_URL that begins with rediss:/)
  })

  test('help, version and names that are none do not load the engine', () => {
    const loaded = (...args: string[]): string => {
      const env = { ...process.env, NODE_DEBUG: 'esm' }
      const main = join(thisCheckout, 'ops/dist/main.js')
      const { stderr } = spawnSync(process.execPath, [main, ...args], { env, encoding: 'utf8' })
      return stderr
    }
    assert.match(
      loaded('doctor', '--stream', 'x', '--redis', 'redis://127.0.0.1:1'),
      /engine\/dist/,
    )
    for (const args of [['--version'], ['--help']])
      assert.doesNotMatch(loaded(...args), /engine\/dist/, args.join(' '))
  })

  test('runs as it is called by npx, from the sources in a checkout', () => {
    const bin = join(thisCheckout, 'ops/bin/millrace.mjs')
    const env = { ...process.env, NODE_OPTIONS: '', NODE_DEBUG: 'esm' }
    const { stdout, stderr, status } = spawnSync(process.execPath, [bin, '--version'], {
      ...{ env, encoding: 'utf8' },
    })
    assert.deepEqual([stdout, status], ['0.1.0\n', 0])
    assert.match(stderr, /ops\/src\/main\.ts/)
  })

  test('its version is that of the package', async () => {
    const manifest = readFileSync(join(thisCheckout, 'ops/package.json'), 'utf8')
    const { version } = JSON.parse(manifest) as { version: string }
    assert.equal((await run('--version')).stdout, `${version}\n`)
  })
})
