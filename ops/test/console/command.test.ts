import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runOps } from '../../../testing/processes.ts'
import { ConsoleStage } from '../stage/console-stage.ts'

describe('the command console', () => {
  const stage = new ConsoleStage()

  test('says where it is, answers there, and ends in order', async () => {
    const process = runOps(['console', '--redis', stage.server.url, '--port', '0'])
    const line = await process.waitForLine(/The console of .* is at (http:\S+)/)
    const [, url = ''] = /at (http:\S+)/.exec(line) ?? []
    assert.equal((await fetch(url)).status, 200)
    process.kill()
    const { code, stderr } = await process.exited
    assert.equal(code, 0, stderr)
  })

  test('refuses to listen to others, as nobody signs in', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org']) {
      const { code, stderr } = await runOps(['console', '--host', host]).exited
      assert.equal(code, 2, stderr)
      assert.match(stderr, /Cannot listen at .*sign-in/)
    }
  })

  test('says which port is in use', async () => {
    const { port } = new URL(stage.url)
    const args = ['console', '--redis', stage.server.url, '--port', port]
    const { code, stderr } = await runOps(args).exited
    assert.equal(code, 2, stderr)
    assert.match(stderr, /port \d+: it is in use\. Choose another with --port/)
  })
})
