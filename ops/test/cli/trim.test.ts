/** `millrace trim` where a group is named: one that never was is a wrong name, one that was lost holds the stream. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { groupKeys } from 'millrace/operate'
import { OperatorStage } from '../stage/operator-stage.ts'

describe('millrace trim', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run } = stage
  const length = (key: string) => stage.redis.send('XLEN', key)
  const trim = (key: string, group: string, ...more: string[]) =>
    run('trim', '--stream', key, '--keep', '0', '--group', group, ...more)

  /** Everything of it is processed. */
  const settled = async (key: string): Promise<void> => {
    await stage.foreign(key, { entries: 5, held: 5 })
    await stage.redis.send('XACK', key, 'billing', '1-0', '2-0', '3-0', '4-0', '5-0')
  }

  test('refuses a group that never was, and says which there are', async () => {
    await settled('orders')
    await stage.redis.send('XGROUP', 'CREATE', 'orders', 'audit', '$')
    for (const more of [[], ['--dry-run'], ['--json'], ['--every', '10ms']]) {
      const { code, stderr } = await trim('orders', 'nope', ...more)
      assert.equal(code, 1, more.join(' '))
      assert.match(
        stderr,
        /error: Cannot trim stream "orders" with group "nope": there is neither such a group nor a ledger of it\. The stream has 2 groups: audit, billing\n$/,
      )
      assert.equal(await length('orders'), 5)
    }
    const { code, stdout } = await trim('orders', 'billing')
    assert.equal(code, 0)
    assert.match(stdout, /^Stream orders: trimmed 4 entries, 1 stay\./)
  })

  test('holds what a lost group had not settled, and names its recovery', async () => {
    await settled('lost')
    const { ledger } = groupKeys('lost', 'desk')
    await stage.redis.send('HSET', ledger, 'since', '1', 'top', '3-0')
    const { code, stdout } = await trim('lost', 'desk')
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^Stream lost: trimmed 2 entries, 3 stay\.\nFrontier 3-0: group "desk" was lost/,
    )
  })

  test('tells of a stream that is none before it looks for groups', async () => {
    const { code, stderr } = await trim('nowhere', 'nope')
    assert.equal(code, 1)
    assert.match(stderr, /Cannot trim stream "nowhere": it does not exist\./)
    await stage.redis.send('SET', 'plain', 'text')
    const wrong = await trim('plain', 'nope')
    assert.equal(wrong.code, 1)
    assert.match(wrong.stderr, /Cannot trim stream "plain": .* is a key of another type/)
  })
})
