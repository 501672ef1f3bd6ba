import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandStage, fieldsOf } from '../stage/command-stage.ts'

interface Letter {
  readonly reason?: string
  readonly error?: string
  /** Milliseconds ago; default: a fixed time. */
  readonly ageMs?: number
}

describe('npx checkin dead-letters', { concurrency: 2 }, () => {
  const stage = new CommandStage('dead-letters')
  const { run } = stage
  const settled = (prefix: string, checkins: number) => stage.fill(prefix, checkins, checkins)

  /** A dead letter `1000<n>-0` of the check-in `<n>-0`. */
  async function write(key: string, n: number, { reason, error, ageMs }: Letter = {}) {
    const time = ageMs === undefined ? 1_795_365_821_008 : Date.now() - ageMs
    const about = ['id', `${n}-0`, 'reason', reason ?? 'refused', 'error', error ?? 'no "hash"']
    const fields = fieldsOf(n).map((text, at) => (at % 2 === 0 ? `field:${text}` : text))
    const rest = ['consumer', 'ada', 'time', time, ...fields]
    await stage.redis.send('XADD', `${key}:checkinConsumers:dead`, `1000${n}-0`, ...about, ...rest)
  }

  test('dead-letters command lists the newest first, as a table in pages', async () => {
    const key = await settled('table', 3)
    await write(key, 1)
    await write(key, 2, { reason: 'undecodable', error: 'evil \u001B[2J\\n\nline' })
    await write(key, 3, { reason: 'handler', error: 'x'.repeat(99) })
    const { code, stdout, stderr } = await run('table', 'list', '--limit', '2')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.deepEqual(stdout.split('\n'), [
      'Group checkinConsumers: 3 dead letters, 2 shown',
      'LETTER   ENTRY  REASON       CONSUMER  TIME                  ERROR',
      `10003-0  3-0    handler      ada       2026-11-22T16:43:41Z  ${'x'.repeat(77)}...`,
      '10002-0  2-0    undecodable  ada       2026-11-22T16:43:41Z  evil \\u001b[2J\\u005cn\\u000aline',
      'More: --from 10002-0',
      '',
    ])
    const rest = await run('table', '--from', '10002-0')
    assert.match(rest.stdout, /3 dead letters, 1 shown\n.*\n10001-0 +1-0 +refused .* no "hash"\n$/)
  })

  test('dead-letters list prints JSON, by reason, the oldest first', async () => {
    const key = await settled('json', 2)
    await write(key, 1)
    await write(key, 2)
    await write(key, 3, { reason: 'lost' })
    const { stdout } = await run('json', 'list', '--json', '--reason', 'refused', '--oldest')
    const { letters, ...rest } = JSON.parse(stdout) as { letters: { letterId: string }[] }
    assert.deepEqual(rest, {
      stream: 'json:checkins',
      group: 'checkinConsumers',
      deadLetterStream: 'json:checkins:checkinConsumers:dead',
      total: 3,
      next: null,
    })
    assert.deepEqual(
      letters.map(({ letterId }) => letterId),
      ['10001-0', '10002-0'],
    )
    assert.deepEqual(letters[0], {
      letterId: '10001-0',
      entryId: '1-0',
      reason: 'refused',
      error: 'no "hash"',
      consumer: 'ada',
      time: 1_795_365_821_008,
      attempts: null,
      fields: [
        ['locationId', '5'],
        ['userId', '1'],
        ['starRating', '4'],
      ],
      isPacked: false,
    })
  })

  test('dead-letters show prints all of one, by either id', async () => {
    const key = await settled('show', 1)
    await write(key, 1, { error: 'field "\u001B[31m" is\r\n' })
    for (const id of ['10001-0', '1-0']) {
      const { stdout, stderr } = await run('show', 'show', id)
      assert.equal(stderr, '')
      assert.deepEqual(stdout.split('\n'), [
        'Letter    10001-0',
        'Entry     1-0, in the stream',
        'Reason    refused',
        'Error     field "\\u001b[31m" is\\u000d\\u000a',
        'Consumer  ada',
        'Time      2026-11-22T16:43:41Z',
        'Fields',
        '  locationId: 5',
        '  userId: 1',
        '  starRating: 4',
        '',
      ])
    }
    await stage.redis.send('XDEL', key, '1-0')
    assert.match(
      (await run('show', 'show', '1-0')).stdout,
      /Entry +1-0, not in the stream any more/,
    )
    const unknown = await run('show', 'show', '7-0')
    assert.equal(unknown.code, 1)
    assert.equal(unknown.stdout, '')
    assert.match(
      unknown.stderr,
      /^error: Cannot show a dead letter of group "checkinConsumers":\n {2}7-0: no dead letter of the group has this id/m,
    )
  })

  test('dead-letters show cuts long texts, and tells how long they are', async () => {
    const key = await settled('long', 1)
    await write(key, 1, { error: 'x'.repeat(1001) })
    await stage.redis.send(
      'XADD',
      `${key}:checkinConsumers:dead`,
      '*',
      'id',
      '9-0',
      'field:a',
      'y'.repeat(200_000),
    )
    const cut = (letter: string, length: string) =>
      `${letter.repeat(1000)}... (${length} characters; all of them with --json)`
    assert.equal(
      (await run('long', 'show', '1-0')).stdout.split('\n')[3],
      `Error     ${cut('x', '1,001')}`,
    )
    const { stdout } = await run('long', 'show', '9-0')
    assert.equal(stdout.split('\n').at(-2), `  a: ${cut('y', '200,000')}`)
  })

  test('dead-letters redrive makes one, some and all pending again under their ids', async () => {
    const key = await settled('redrive', 4)
    for (const n of [1, 2, 3, 4]) await write(key, n, n === 4 ? { reason: 'handler' } : {})
    const one = await run('redrive', 'redrive', '10001-0')
    assert.match(one.stderr, /^At redis:.*, group "checkinConsumers":\n$/)
    assert.equal(
      one.stdout,
      'Redrove 1 dead letter of group "checkinConsumers". A running processor takes the entries at its next sweep.\n',
    )
    const some = await run('redrive', 'redrive', '--reason', 'refused', '--json', '--rate', '1000')
    assert.deepEqual(JSON.parse(some.stdout), { group: 'checkinConsumers', redriven: 2, kept: [] })
    const all = await run('redrive', 'redrive', '--all')
    assert.match(all.stdout, /^Redrove 1 dead letter of/)
    const none = await run('redrive', 'redrive', '--all')
    assert.equal(none.stdout, 'Redrove 0 dead letters of group "checkinConsumers".\n')
    assert.equal(none.code, 0)
    const range = ['-', '+', '9'] as const
    const rows = (await stage.redis.send(
      'XPENDING',
      key,
      'checkinConsumers',
      ...range,
    )) as string[][]
    assert.deepEqual(
      rows.map(([id, consumer]) => [id, consumer]),
      ['1-0', '2-0', '3-0', '4-0'].map((id) => [id, 'redrive']),
    )
  })

  test('dead-letters redrive says what it cannot redrive, and why', async () => {
    const key = await settled('kept', 3)
    for (const n of [1, 2, 3]) await write(key, n)
    await stage.redis.send('XDEL', key, '2-0', '3-0')
    const { code, stdout, stderr } = await run('kept', 'redrive', '1-0', '2-0', '3-0', '9-9')
    assert.equal(code, 1)
    assert.match(stdout, /^Redrove 1 dead letter of/)
    const lines = stderr.split('\n').slice(1)
    assert.equal(lines[0], 'error: Cannot redrive 3 dead letters:')
    assert.match(lines[1] ?? '', /^ {2}9-9: no dead letter of the group has this id/)
    assert.match(
      lines[2] ?? '',
      /^ {2}10002-0, 10003-0: the stream does not hold the entry any more/,
    )
    assert.equal(await stage.redis.send('XLEN', `${key}:checkinConsumers:dead`), 2)
    // What is kept stands in the result: with an error behind it, it would be no JSON.
    const again = await run('kept', 'redrive', '2-0', '--json')
    assert.equal(again.code, 1)
    const kept = [{ id: '10002-0', outcome: 'body-gone' }]
    assert.deepEqual(JSON.parse(again.stdout), { group: 'checkinConsumers', redriven: 0, kept })
  })

  test('dead-letters purge says what it would do, and does it with --yes', async () => {
    const key = await settled('purge', 0)
    await write(key, 1)
    await write(key, 2, { reason: 'lost', ageMs: 60_000 })
    await write(key, 3, { reason: 'lost', ageMs: 7_200_000 })
    await write(key, 4, { ageMs: 0 })
    const age = ['--older-than', '1h', '--reason', 'lost']
    const planned = await run('purge', 'purge', ...age)
    assert.equal(
      planned.stdout,
      'Would purge 1 dead letter of group "checkinConsumers" (reason lost, 3,600 s or older), for good. ' +
        'Nothing is done without --yes.\n',
    )
    assert.equal(planned.code, 0)
    const left = () => stage.redis.send('XLEN', `${key}:checkinConsumers:dead`)
    assert.equal(await left(), 4)
    const done = await run('purge', 'purge', ...age, '--yes', '--json')
    assert.deepEqual(JSON.parse(done.stdout), { group: 'checkinConsumers', purged: 1, kept: [] })
    const byId = await run('purge', 'purge', '10001-0', '10003-0', '--yes')
    assert.equal(byId.code, 1)
    assert.equal(byId.stdout, 'Purged 1 dead letter of group "checkinConsumers".\n')
    assert.match(byId.stderr, /^error: Cannot purge 1 dead letter:\n {2}10003-0: no dead letter/m)
    await run('purge', 'purge', '--all', '--yes')
    assert.equal(await left(), 0)
  })

  test('dead-letters command names what is missing', async () => {
    const noStream = await run('missing', 'list')
    assert.equal(noStream.code, 1)
    assert.match(
      noStream.stderr,
      /^error: .*stream "missing:checkins".* does not exist.*npm run load/m,
    )
    await stage.redis.send('XADD', 'bare:checkins', '1-0', 'a', 'b')
    for (const args of [['list'], ['redrive', '--all']]) {
      const noGroup = await run('bare', ...args)
      assert.equal(noGroup.code, 1)
      assert.match(noGroup.stderr, /^error: .*group .*does not exist/m)
    }
    // Letters stay to be seen when their group is lost.
    await write('bare:checkins', 1)
    assert.match((await run('bare', 'list')).stdout, /1 dead letter, 1 shown/)
    assert.equal((await run('bare', 'redrive', '--all')).code, 1)
    // The single processor has no group, and its letters can be seen all the same.
    const single = await run('bare', 'list', '--group', 'checkinprocessor')
    assert.equal(single.stdout, 'Group checkinprocessor: 0 dead letters, 0 shown\n')
    await stage.redis.send('SET', 'bare:checkins:checkinConsumers:dead', 'text')
    const wrong = await run('bare', 'list')
    assert.equal(wrong.code, 1)
    assert.match(
      wrong.stderr,
      /^error: .*"bare:checkins:checkinConsumers:dead" is a key of another/m,
    )
  })
})
