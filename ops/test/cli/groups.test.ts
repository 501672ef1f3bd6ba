/** `millrace groups`: finds the streams that have groups, whoever made them, and tells of each what is known. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect, count, integer, projection, stream } from 'millrace'
import { findStreams, lookedText } from '../../src/place/find-streams.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

interface Shown {
  readonly streams: readonly {
    readonly stream: string
    readonly groups: readonly { readonly name: string; readonly isManaged: boolean }[]
  }[]
  readonly looked: object
}

describe('millrace groups', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run, json } = stage

  test('says that there is no stream with a group, and how far it looked', async () => {
    await stage.redis.send('XADD', 'plain', '1-0', 'a', 'b')
    const { code, stdout, stderr } = await run('groups')
    assert.equal(code, 0)
    assert.equal(stdout, `No stream with a group at ${stage.url}\n`)
    assert.equal(stderr, '(looked at the only key; 1 stream without a group)\n')
  })

  test('finds streams of others, and shows what the server tells of their groups', async () => {
    await stage.foreign('orders', { held: 2 })
    await stage.redis.send('XGROUP', 'CREATE', 'orders', 'my group', '3-0')
    await stage.redis.send('SET', 'no stream', 'text')
    const { code, stdout, stderr } = await run('groups')
    assert.equal(code, 0)
    const shown = stdout.replaceAll(/\d+(?:\.\d)? (?:ms|s)\b/g, 'TIME').replaceAll(/ {2,}/g, '  ')
    assert.deepEqual(shown.split('\n'), [
      'Stream orders: 5 entries, 1-0 to 5-0',
      'GROUP, CONSUMER  STATE  LAG  BEHIND  PENDING  HELD FOR  DEAD',
      // What is not known is no zero.
      'billing  3  2  TIME',
      '  worker-1  no-lease  2  TIME',
      // The server cannot tell its lag; counted.
      '"my group"  2  0',
      'billing: last delivered 2-0; oldest pending 1-0, with worker-1, delivered once',
      '"my group": last delivered 3-0',
      'No consumer of Millrace works on billing: no leases, no ledger, only what the server tells.',
      'Groups with names that cannot be used here: "my group"',
      '',
    ])
    assert.ok(stdout.split('\n').every((line) => line.length <= 100))
    assert.equal(stderr, '(looked at all 3 keys; 1 stream without a group)\n')
  })

  test('tells groups of Millrace from others, and one group alone', async () => {
    const key = 'visits'
    const visits = stream(key, { guest: integer(1) })
    const guests = projection('guests:{guest}', { visits: count() })
    const millrace = await connect({ url: stage.url })
    const desk = millrace.group(visits, 'desk')
    await desk.create()
    await millrace.append(visits, { guest: 1 })
    await desk.consumer('ada', { projections: [guests], drain: true }).run()
    await millrace.close()
    const { streams, looked } = await json<Shown>('groups')
    assert.deepEqual(
      streams.map(({ stream, groups }) => [stream, groups.map(({ isManaged }) => isManaged)]),
      [
        ['orders', [false, false]],
        [key, [true]],
      ],
    )
    assert.deepEqual(Object.keys(looked), ['url', 'keys', 'isComplete', 'streamsWithoutGroup'])
    const only = await json<Shown>('groups', '--group', 'desk')
    assert.deepEqual(
      only.streams.map(({ stream }) => stream),
      [key],
    )
    const named = await json<Shown['streams'][number]>(
      'groups',
      '--stream',
      'orders',
      '--group',
      'my group',
    )
    assert.deepEqual(
      named.groups.map(({ name }) => name),
      ['my group'],
    )
  })

  test('says how to make what is missing, with the flags that were typed', async () => {
    const missing = await run('groups', '--stream', 'nowhere', '--group', 'desk')
    assert.equal(missing.code, 1)
    assert.match(
      missing.stderr,
      /stream "nowhere" at redis:\S+: it does not exist\. If it was there before: "npx millrace recover --stream nowhere --group desk"\./,
    )
    const { stdout } = await run(
      'groups',
      '--redis',
      stage.url,
      '--stream',
      'orders',
      '--group',
      'dsk',
    )
    const where = `--redis ${stage.url} --stream orders --group dsk`
    assert.ok(
      stdout.includes(
        `There is no group dsk. Create it with "npx millrace groups create ${where}"`,
      ),
    )
  })

  test('looks at a part of very many keys, and says so', async () => {
    const calls: string[] = []
    const endless = {
      send: (...args: readonly string[]) => {
        calls.push(args.join(' '))
        return Promise.resolve(args[0] === 'SCAN' ? ['7', []] : 5_000_000)
      },
    }
    const found = await findStreams(endless, undefined, { scansMax: 3 })
    assert.equal(calls.filter((call) => call.startsWith('SCAN')).length, 3)
    assert.equal(
      lookedText(found),
      'looked at a part of the 5,000,000 keys: name what is missing with --stream',
    )
  })
})
