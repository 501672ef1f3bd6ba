/** Wrong usage of `npx checkin dead-letters`: it is refused before any server is asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'

const env = { REDIS_URL: 'redis://127.0.0.1:1' }
const run = (...args: string[]) => runMain(['dead-letters', ...args], { env }).exited

for (const args of [
  ['mend'],
  ['list', '--limit', '0', '--from', 'x'],
  ['list', '--reason', 'nope'],
  ['purge', '--reason', 'nope', '--yes'],
  ['show'],
  ['redrive'],
  ['redrive', '1-0', '--all'],
  ['redrive', '--all', '--rate', '0'],
  ['purge', '--yes'],
  ['purge', '--older-than', '3'],
  ['purge', '--all', '--group', 'no spaces'],
]) {
  test(`dead-letters command refuses "${args.join(' ')}" as wrong usage`, async () => {
    const { code, stdout, stderr } = await run(...args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, /^error: /m)
    if (args.includes('nope')) {
      assert.match(stderr, /choices are undecodable, refused, handler, lost, unknown\.$/m)
    }
  })
}

test('dead-letters command explains itself', async () => {
  const { code, stdout } = await run('--help')
  assert.equal(code, 0)
  assert.match(stdout, /Usage: checkin dead-letters \[options\] \[command\]/)
  assert.match((await run('purge', '--help')).stdout, /--older-than <age>/)
})
