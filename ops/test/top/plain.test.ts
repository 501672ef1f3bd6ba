/** `millrace top` where there is no terminal, and what it refuses. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runOps } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

describe('millrace top without a terminal', { concurrency: false }, () => {
  const stage = new OperatorStage()

  test('prints a row for each group once in the interval, and ends at a signal', async () => {
    await stage.foreign('orders', { held: 2 })
    await stage.redis.send('XGROUP', 'CREATE', 'orders', 'shipping', '0')
    const env = { REDIS_URL: stage.url, FORCE_COLOR: '1' }
    const top = runOps(['top', '--every', '100ms'], { env })
    await waitFor(() => top.stdout.split('\n').length > 7, { what: 'three times two rows' })
    top.kill('SIGTERM')
    const { code, stdout, stderr } = await top.exited
    assert.deepEqual([code, stderr], [0, ''])
    const [head = '', ...rows] = stdout.trimEnd().split('\n')
    assert.match(head, /^TIME +STATE +GROUP +STREAM +TIME LAG +LAG +PENDING/)
    assert.ok(!stdout.includes('\u001B'))
    for (const row of rows) {
      assert.match(row, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +\S+ +(?:billing|shipping) +orders +/)
    }
  })

  test('shows the group that is named alone, and says what is not there', async () => {
    const env = { REDIS_URL: stage.url }
    const top = runOps(['top', '--stream', 'orders', '--group', 'shipping', '--every', '100ms'], {
      env,
    })
    await waitFor(() => top.stdout.split('\n').length > 3, { what: 'three rows' })
    top.kill()
    const { stdout } = await top.exited
    assert.ok(!stdout.includes('billing'))
    const nowhere = await stage.run('top', '--stream', 'nowhere')
    assert.equal(nowhere.code, 1)
    assert.match(nowhere.stderr, /Cannot look at redis:\S+: Stream "nowhere" does not exist/)
    const nobody = await stage.run('top', '--stream', 'orders', '--group', 'nobody')
    assert.match(nobody.stderr, /there is no group "nobody"/)
    assert.equal(nobody.code, 1)
  })
})
