/** What `millrace` says of streams that are none, and whether the commands that it names can be typed as they stand. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OperatorStage } from '../stage/operator-stage.ts'

interface Failed {
  readonly error: { readonly code: string; readonly message: string; readonly remedy?: string }
}

/** The arguments of the command that a text names in quotes, with a name in the place of `<name>`. */
function named(text: string, command: string): string[] {
  const line = new RegExp(`"npx millrace (${command}[^"]*)"`).exec(text)?.[1]
  assert.ok(line !== undefined, `no ${command} in: ${text}`)
  return line.replace('<name>', 'desk').split(' ')
}

describe('hints of millrace', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run, json } = stage
  const lookers = [
    ['pending'],
    ['consumers'],
    ['doctor'],
    ['dead-letters', 'list'],
    ['recover'],
    ['groups'],
  ]

  for (const args of lookers) {
    test(`${args.join(' ')} tells of a stream that is none`, async () => {
      await stage.redis.send('SET', 'plain', 'text')
      const { error: missing } = await json<Failed>(...args, '--stream', 'nosuch')
      assert.equal(missing.code, 'NO_STREAM')
      assert.match(
        missing.message,
        /^Cannot .* stream "nosuch".*: it does not exist\. Create it with/,
      )
      const { error: wrong } = await json<Failed>(...args, '--stream', 'plain')
      assert.equal(wrong.code, 'WRONG_TYPE')
      assert.match(
        wrong.message,
        /^Cannot .* stream "plain".*: .*(?:another type|holds a string).*\. Move/,
      )
      for (const key of ['nosuch', 'plain']) {
        const { stderr } = await run(...args, '--stream', key)
        assert.doesNotMatch(stderr, /ERR no such key|WRONGTYPE/)
      }
    })
  }

  test('what creates a stream can be typed, and no recovery is named without a group', async () => {
    for (const [at, args] of [['pending'], ['groups'], ['trim']].entries()) {
      const key = `new-${at}`
      const { stderr } = await run(...args, '--redis', stage.url, '--stream', key)
      assert.doesNotMatch(stderr, /recover/)
      const create = named(stderr, 'groups create')
      assert.deepEqual(create, [
        ...['groups', 'create', '--redis', stage.url, '--stream', key, '--group', 'desk'],
      ])
      assert.equal((await run(...create)).code, 0)
    }
  })

  test('a recovery is named with the group that holds the stream', async () => {
    await stage.foreign('orders', { entries: 5 })
    await stage.foreign('orders', { entries: 0, group: 'desk' })
    await stage.redis.send('XGROUP', 'SETID', 'orders', 'desk', '$')
    await stage.redis.send('HSET', 'orders:desk:ledger', 'since', '1', 'top', '2-0')
    await stage.redis.send('XGROUP', 'SETID', 'orders', 'billing', '$')
    const { stdout } = await run('trim', '--stream', 'orders', '--dry-run')
    assert.deepEqual(named(stdout, 'recover'), ['recover', '--stream', 'orders', '--group', 'desk'])
  })

  test('what there is, is named at the server that was given, without its password', async () => {
    const given = stage.url.replace('//', '//ada:secret@')
    const { code, stderr } = await run('trim', '--redis', given)
    assert.equal(code, 2)
    assert.doesNotMatch(stderr, /secret/)
    const paused = await run('pause', '--redis', stage.url, '--stream', 'orders')
    assert.match(stderr, /without --stream\. What there is: npx millrace groups --redis .*\*\*\*@/)
    assert.ok(
      paused.stderr.endsWith(
        `without --group. What there is: npx millrace groups --redis ${stage.url} --stream orders\n`,
      ),
      paused.stderr,
    )
    const none = await run('trim', '--redis', 'http://ada:secret@localhost')
    assert.equal(none.code, 2)
    assert.doesNotMatch(none.stderr, /secret/)
  })
})
