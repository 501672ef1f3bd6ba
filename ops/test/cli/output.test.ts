/** What a command does where its output or its names are odd: closed pipes, control characters, empty values, signals. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { thisCheckout } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

const bin = join(thisCheckout, 'ops/bin/millrace.mjs')

describe('millrace', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run } = stage

  for (const args of [
    ['groups', '--stream', ''],
    ['pending', '--stream', ''],
    ['doctor', '--group', ''],
  ]) {
    test(`${args.join(' ')}'' is wrong usage, and ends`, async () => {
      const { code, stderr } = await run(...args)
      assert.equal(code, 2)
      assert.match(
        stderr,
        /^error: option '--(?:stream|group) <\w+>' argument '' is invalid\. It is empty\.\n/,
      )
    })
  }

  test('who closes the pipe has read enough', async () => {
    await stage.foreign('orders', { entries: 3, held: 3 })
    await stage.redis.send(
      'EVAL',
      "for i = 4, 6000 do redis.call('XADD', KEYS[1], i .. '-0', 'item', string.rep('x', 40)) end",
      1,
      'orders',
    )
    const read = [
      'XREADGROUP',
      'GROUP',
      'billing',
      'worker-1',
      'COUNT',
      '6000',
      'STREAMS',
      'orders',
      '>',
    ]
    await stage.redis.send(...read)
    const call = `node '${bin}' pending --stream orders --limit 6000 | head -1; echo "code \${PIPESTATUS[0]}"`
    const env = { ...process.env, REDIS_URL: stage.url }
    const { stdout, stderr } = spawnSync('bash', ['-c', call], { env, encoding: 'utf8' })
    assert.equal(stderr, '')
    assert.match(stdout, /^Group billing: 6,000 pending entries.*\ncode 0\n$/)
  })

  test('a name that others chose reaches no terminal as it is', async () => {
    const key = 'ev\u001b[31mil\u0007'
    await stage.redis.send('XGROUP', 'CREATE', key, 'g', '0', 'MKSTREAM')
    const place = ['--stream', key, '--group', 'g']
    for (const args of [
      ['trim', '--stream', key],
      ['recover', ...place],
      ['doctor', ...place],
      ['groups', 'repair-lag', ...place],
      ['groups', 'create', ...place],
      ['groups', 'accept-loss', ...place],
      ['pause', 'nobody', ...place],
    ]) {
      const { stdout, stderr } = await run(...args)
      assert.doesNotMatch(stdout + stderr, /(?!\n)\p{Cc}/u, args.join(' '))
    }
  })

  test('in a checkout, too, a signal to its process reaches the command', async () => {
    const env = { ...process.env, REDIS_URL: stage.url }
    const args = [bin, 'trim', '--stream', 'orders', '--every', '1s', '--keep', '100000']
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(child, 'exit')
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await waitFor(() => said !== '', { what: 'the first run' })
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
  })
})
