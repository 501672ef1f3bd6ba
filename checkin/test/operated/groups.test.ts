import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect } from 'millrace'
import { runMain } from '../../../testing/processes.ts'
import { checkinModel } from '../../src/domain/checkins.ts'
import { CommandStage } from '../stage/command-stage.ts'

interface Shown {
  readonly consumers: readonly { readonly oldestPending: object | null }[]
  readonly oldestPending: {
    readonly id: string
    readonly consumer: string
    readonly deliveries: number
  } | null
  readonly entriesRead: number | null
}

describe('npx checkin groups', { concurrency: 2 }, () => {
  const stage = new CommandStage('groups')
  const { run } = stage

  test('groups command says how to create a stream that is missing', async () => {
    const { code, stdout, stderr } = await run('missing')
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(
      stderr,
      /^error: Cannot show the groups of stream "missing:checkins" at redis:\S+: it does not exist\. If it was there before: "npx checkin recover"\. If it is new: "npx checkin groups create"/,
    )
  })

  test('groups command offers sample data only for its own server', async () => {
    const own = await run('missing')
    assert.match(own.stderr, /, or "npm run load" for sample data\n$/)
    const other = await run('missing', '--redis', stage.env('missing').REDIS_URL ?? '')
    assert.match(other.stderr, /"npx checkin groups create --redis redis:\S+"\n$/)
  })

  test('groups command says how to create a group that is missing', async () => {
    await stage.redis.send('XADD', 'bare:checkins', '1-0', 'a', 'b')
    const { code, stdout } = await run('bare')
    assert.equal(code, 0)
    assert.equal(
      stdout,
      'Stream bare:checkins: 1 entry, 1-0 to 1-0\nThere is no group checkinConsumers. Create it with "npx checkin groups create"\n',
    )
  })

  test('groups command knows a group that was lost from one that never was', async () => {
    const model = checkinModel('lost')
    const millrace = await connect({ url: stage.env('lost').REDIS_URL ?? '' })
    const group = millrace.group(model.checkins, 'desk')
    await group.create()
    await millrace.append(model.checkins, { userId: 1, locationId: 1, starRating: 5 })
    await group.consumer('c', { projections: [model.users], drain: true }).run()
    await millrace.close()
    const shown = async (name: string) => {
      const env = { ...stage.env('lost'), CHECKIN_GROUP: name }
      const [text, json] = await Promise.all([
        runMain(['groups'], { env }).exited,
        runMain(['groups', '--json'], { env }).exited,
      ])
      const { missingGroup } = JSON.parse(json.stdout) as { missingGroup: unknown }
      return { missingGroup, lastLine: text.stdout.trimEnd().split('\n').at(-1) }
    }
    const typo = await shown('dsk')
    assert.deepEqual(typo.missingGroup, { name: 'dsk', isLost: false })
    assert.equal((await shown('desk')).missingGroup, null)
    await stage.redis.send('XGROUP', 'DESTROY', model.checkins.key, 'desk')
    const lost = await shown('desk')
    assert.deepEqual(lost.missingGroup, { name: 'desk', isLost: true })
    assert.equal(
      lost.lastLine,
      'Group desk is gone, but has processed entries before. See what can be recovered: "npx checkin recover"',
    )
    assert.equal(
      typo.lastLine,
      'There is no group dsk. Create it with "npx checkin groups create", or name one of these by --group',
    )
  })

  test('groups command shows groups, consumers, pending entries and dead letters as one table', async () => {
    const key = await stage.fill('table', 5)
    await stage.deliver(key, { count: 2, consumer: 'ada' })
    await stage.deliver(key, { count: 1, consumer: 'ben' })
    await stage.redis.send(...['XCLAIM', key, 'checkinConsumers', 'ada', 0, '1-0'])
    await stage.redis.send('XACK', key, 'checkinConsumers', '3-0')
    await stage.redis.send('XADD', `${key}:checkinConsumers:dead`, '*', 'reason', 'undecodable')
    await stage.redis.send('XGROUP', 'CREATE', key, 'audit', '3-0')
    await stage.redis.send('XGROUP', 'CREATE', key, 'name with spaces', '0')
    await stage.redis.send('SET', 'table:checkinprocessor:lastid', '2-0')
    const { code, stdout, stderr } = await run('table')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const shown = stdout.replaceAll(/\d+(?:\.\d)? (?:ms|s)/g, 'TIME').replaceAll(/ {2,}/g, '  ')
    assert.deepEqual(shown.split('\n'), [
      'Stream table:checkins: 5 entries, 1-0 to 5-0',
      'GROUP, CONSUMER  STATE  LAG  BEHIND  PENDING  HELD FOR  DEAD',
      // The server does not know the lag of a group that began amid the stream.
      'audit  2  0  0',
      'checkinConsumers  2  2  TIME  1',
      '  ada  no-lease  2  TIME',
      '  ben  no-lease  0',
      // No command of ours can work on it, but it is shown.
      '"name with spaces"  5  0',
      'audit: last delivered 3-0',
      'checkinConsumers: last delivered 3-0; oldest pending 1-0, with ada, delivered 2 times',
      '"name with spaces": last delivered 0-0',
      'No consumer of Millrace works on checkinConsumers: no leases, no ledger, only what the server tells.',
      'Groups with names that cannot be used here: "name with spaces"',
      'Single processor: at "2-0" (table:checkinprocessor:lastid)',
      '',
    ])
  })

  test('groups command prints all of it as JSON', async () => {
    const key = await stage.fill('json', 2)
    await stage.deliver(key, { count: 1, consumer: 'ada' })
    const { code, stdout, stderr } = await run('json', '--json')
    assert.equal(stderr, '')
    assert.equal(code, 0)
    const overview = JSON.parse(stdout) as { groups: [Shown] }
    const [{ consumers, oldestPending, entriesRead, ...group }] = overview.groups
    assert.deepEqual(group, {
      name: 'checkinConsumers',
      isManaged: false,
      state: 'working',
      lag: 1,
      lagDoubt: null,
      oldestUndeliveredMs: null,
      oldestPendingMs: null,
      pending: 1,
      isPaused: false,
      pauses: { group: null, consumers: {} },
      deadLetters: 0,
      deadLetterStream: 'json:checkins:checkinConsumers:dead',
      newestDeadLetter: null,
      lastDeliveredId: '1-0',
    })
    assert.equal(entriesRead, 1)
    assert.equal(consumers.length, 1)
    assert.equal(oldestPending?.id, '1-0')
    assert.equal(oldestPending.consumer, 'ada')
    assert.equal(oldestPending.deliveries, 1)
    assert.deepEqual(consumers[0]?.oldestPending, oldestPending)
    assert.deepEqual(
      { ...overview, groups: [] },
      {
        groups: [],
        stream: key,
        entries: 2,
        firstEntryId: '1-0',
        lastEntryId: '2-0',
        missingGroup: null,
        foreignGroups: [],
        singleProcessor: null,
      },
    )
  })

  test('groups command names the key that holds another type', async () => {
    await stage.redis.send('SET', 'wrong:checkins', 'text')
    const wrongStream = await run('wrong')
    assert.equal(wrongStream.code, 1)
    assert.match(
      wrongStream.stderr,
      /^error: Cannot show the groups of stream "wrong:checkins" at redis:\S+: key "wrong:checkins" holds a string, not a stream\. Move it away, or set KEY_PREFIX to one that nobody else uses\n$/,
    )
    await stage.fill('wrong2', 0)
    await stage.redis.send('RPUSH', 'wrong2:checkinprocessor:lastid', '1-0')
    const wrongPosition = await run('wrong2')
    assert.equal(wrongPosition.code, 1)
    assert.match(
      wrongPosition.stderr,
      /key "wrong2:checkinprocessor:lastid" holds a list, not a string\./,
    )
  })

  test('groups create makes stream and group, once', async () => {
    const first = await run('new', 'create')
    assert.match(first.stderr, /^At redis:.*, stream "new:checkins", group "checkinConsumers":\n$/)
    assert.equal(
      first.stdout,
      'Group "checkinConsumers" of stream "new:checkins" is created and begins at 0.\n',
    )
    const second = await run('new', 'create', '--from', '$')
    assert.equal(second.code, 0)
    assert.equal(
      second.stdout,
      'Group "checkinConsumers" of stream "new:checkins" exists already; nothing changed.\n',
    )
    assert.match((await run('new')).stdout, /Stream new:checkins: 0 entries\n.*\ncheckinConsumers/)
  })

  for (const [prefix, from, lastDelivered] of [
    ['from1', '$', '2-0'],
    ['from2', '1-0', '1-0'],
    ['from3', '1', '1-0'],
    ['from4', '0', '0-0'],
  ] as const) {
    test(`groups create begins after ${from}, when told`, async () => {
      await stage.redis.send('XADD', `${prefix}:checkins`, '1-0', 'a', 'b')
      await stage.redis.send('XADD', `${prefix}:checkins`, '2-0', 'a', 'b')
      const { stdout } = await run(prefix, 'create', '--from', from, '--json')
      assert.deepEqual(JSON.parse(stdout), {
        stream: `${prefix}:checkins`,
        group: 'checkinConsumers',
        created: true,
        from,
      })
      const groups = JSON.stringify(await stage.redis.send('XINFO', 'GROUPS', `${prefix}:checkins`))
      assert.ok(groups.includes(`"last-delivered-id","${lastDelivered}"`), groups)
    })
  }

  test('groups create refuses a key that holds another type', async () => {
    await stage.redis.send('SET', 'other:checkins', 'text')
    const { code, stderr } = await run('other', 'create')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^error: Cannot create group "checkinConsumers" on "other:checkins": "other:checkins" is a key of another type: it holds a string/m,
    )
  })

  for (const from of ['x', '', '-1', '1-2-3', '1-', '18446744073709551616', '1-\n']) {
    test(`groups create refuses ${JSON.stringify(from)} as an id`, async () => {
      const { code, stdout, stderr } = await run('usage', 'create', `--from=${from}`)
      assert.equal(code, 2)
      assert.equal(stdout, '')
      assert.match(
        stderr,
        /^error: Cannot use ".*" as --from: allowed are 0 .*, \$ .* and an entry id/m,
      )
    })
  }

  for (const args of [
    ['--bad'],
    ['mend'],
    ['create', '--bad'],
    ['create', 'more'],
    ['create', '--from'],
  ]) {
    test(`groups command refuses "${args.join(' ')}" as wrong usage`, async () => {
      const { code, stdout, stderr } = await run('usage', ...args)
      assert.equal(code, 2)
      assert.equal(stdout, '')
      assert.match(stderr, /^error: /m)
      assert.equal(await stage.redis.send('EXISTS', 'usage:checkins'), 0)
    })
  }

  test('groups command explains itself', async () => {
    const { code, stdout } = await run('usage', '--help')
    assert.equal(code, 0)
    assert.match(stdout, /Usage: checkin groups \[options\] \[command\]/)
    assert.match((await run('usage', 'create', '--help')).stdout, /--from <id>/)
  })
})
