/** `millrace groups --watch`: the same again and again, for files, for programs, and on a terminal. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { runOps } from '../../../testing/processes.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { watch } from '../../src/command/watch.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

describe('millrace groups --watch', { concurrency: false }, () => {
  const stage = new OperatorStage()

  test('prints tables one behind the other where there is no terminal, until a signal', async () => {
    await stage.foreign('orders', { held: 2 })
    const env = { REDIS_URL: stage.url }
    const watching = runOps(['groups', '--stream', 'orders', '--watch', '100ms'], { env })
    await waitFor(() => watching.stdout.split('Stream orders: 5 entries').length > 3, {
      what: 'three tables',
    })
    await stage.redis.send('XADD', 'orders', '6-0', 'item', 'book6')
    await watching.waitForLine(/^Stream orders: 6 entries/)
    watching.kill('SIGINT')
    const { code, stdout, stderr } = await watching.exited
    assert.deepEqual([code, stderr], [0, ''])
    assert.ok(!stdout.includes('\u001B'))
  })

  test('prints a line of JSON for each look', async () => {
    const env = { REDIS_URL: stage.url }
    const watching = runOps(['groups', '--watch', '100ms', '--json'], { env })
    await waitFor(() => watching.stdout.split('\n').length > 3, { what: 'three lines' })
    watching.kill('SIGTERM')
    const { code, stdout } = await watching.exited
    assert.equal(code, 0)
    for (const line of stdout.trim().split('\n')) {
      const { streams } = JSON.parse(line) as { streams: readonly { stream: string }[] }
      assert.equal(streams[0]?.stream, 'orders')
    }
  })

  test('refuses a time that is none', async () => {
    const { code, stderr } = await stage.run('groups', '--watch', 'often')
    assert.equal(code, 2)
    assert.match(stderr, /Allowed is a time/)
  })
})

describe('watch', () => {
  const looking = (results: readonly (string | Error)[]) => {
    const wish = new AbortController()
    const left = [...results]
    const look = (): Promise<string> => {
      const next = left.shift()
      if (left.length === 0) wish.abort()
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? '')
    }
    return { look, wish: wish.signal }
  }
  const passing = new Error('Cannot read: the connection is lost')
  const isPassing = (error: unknown): boolean => error === passing

  test('draws over what is there, no more than fits, and says how old it is', async () => {
    const { look, wish } = looking(['one\ntwo\nthree\nfour\nfive', passing])
    const drawn: string[] = []
    const print = (text: string): void => void drawn.push(text)
    const screen = { columns: 70, rows: 6 }
    await watch(look, { everyMs: 1, wish, print, screen, title: 'Every 1 s: here', isPassing })
    const lines = drawn.map((text) => text.replaceAll(/\p{Cc}\[[HKJ]/gu, '').split('\n'))
    assert.match(lines[0]?.[0] ?? '', /^Every 1 s: here, \d\d:\d\d:\d\d UTC$/)
    assert.deepEqual(lines[0]?.slice(1), ['', 'one', 'two', '... 3 more lines', ''])
    assert.match(lines[1]?.[0] ?? '', /UTC, stale 0 s: Cannot read: the co.*…$/)
    assert.equal(lines[1]?.[2], 'one')
    assert.ok(drawn.every((text) => text.startsWith('\u001B[H') && text.endsWith('\u001B[J')))
  })

  test('ends where what fails does not pass, and where the first look fails', async () => {
    const options = { everyMs: 1, print: () => undefined, title: '', isPassing }
    const forbidden = new Error('forbidden')
    await assert.rejects(watch(...first(looking(['one', forbidden, 'two']))), forbidden)
    await assert.rejects(watch(...first(looking([passing, 'two']))), passing)

    function first({ look, wish }: ReturnType<typeof looking>): Parameters<typeof watch> {
      return [look, { ...options, wish }]
    }
  })
})
