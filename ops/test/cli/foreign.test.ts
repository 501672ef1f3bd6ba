/** The operator's commands on groups that no consumer of Millrace has worked on: they tell the truth, and do no harm. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Finding } from '../../src/doctor/finding.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

interface Diagnosis {
  readonly findings: readonly Finding[]
  readonly balance: object | null
}

describe('millrace on a foreign group', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const { run, json } = stage
  const at = (key: string) => ['--stream', key, '--group', 'billing']
  const findingsAt = async (key: string) => {
    const { findings, balance } = await json<Diagnosis>('doctor', ...at(key))
    const of = (check: string) => findings.find((finding) => finding.check === check)
    return { of, balance, checks: findings.map(({ check }) => check) }
  }

  test('the doctor says that nobody takes what waits, and claims to know nothing more', async () => {
    await stage.foreign('waiting', { entries: 5, held: 2 })
    const { of, balance, checks } = await findingsAt('waiting')
    assert.equal(balance, null)
    assert.match(of('foreign-group')?.what ?? '', /^Others work on group billing \(1 consumer\)/)
    const standing = of('lag-stands')
    // It has read less than a minute ago: perhaps its work takes long.
    assert.equal(standing?.severity, 'warning')
    const told =
      /^Nobody took anything for ([\d.]+) s.* 3 entries are undelivered.* and 2 pending\. Who read last, worker-1, did so ([\d.]+) s ago\.$/
    const [, watched, silent] = told.exec(standing.what) ?? assert.fail(standing.what)
    assert.ok(Number(silent) >= Number(watched), standing.what)
    for (const check of ['no-processor', 'balance', 'pending-without-lease'])
      assert.ok(!checks.includes(check), `${check} cannot be told`)
  })

  test('the doctor does not call a group dead on which others work', async (t) => {
    await stage.foreign('worked', { entries: 1 })
    const { redis } = stage
    // More than is taken while the doctor looks: it goes down, and does not end.
    const fill = "for i = 2, 100000 do redis.call('XADD', KEYS[1], i .. '-0', 'item', 'book') end"
    await redis.send('EVAL', fill, 1, 'worked')
    let isOver = false
    const working = (async () => {
      while (!isOver) {
        const read = [
          'XREADGROUP',
          'GROUP',
          'billing',
          'busy',
          'COUNT',
          '1',
          'STREAMS',
          'worked',
          '>',
        ]
        const [[, entries]] = (await redis.send(...read)) as [[string, [string][]]]
        await redis.send('XACK', 'worked', 'billing', ...entries.map(([id]) => id))
      }
    })()
    t.after(() => working)
    const { of, checks } = await findingsAt('worked')
    isOver = true
    assert.equal(of('catching-up')?.severity, 'info', checks.join(', '))
    assert.match(of('catching-up')?.what ?? '', /0\/s in, [\d,.]+\/s done/)
    for (const check of ['lag-stands', 'lag-grows', 'no-processor'])
      assert.ok(!checks.includes(check))
  })

  test('pending shows entries with what stands in them, page by page', async () => {
    await stage.foreign('paged', { entries: 3, held: 3 })
    await stage.redis.send('XDEL', 'paged', '2-0')
    await stage.redis.send('XADD', 'paged', '4-0', 'evil\u001B[2J', 'x'.repeat(200))
    await stage.redis.send('XREADGROUP', 'GROUP', 'billing', 'w 2', 'STREAMS', 'paged', '>')
    const { stdout, code } = await run('pending', ...at('paged'))
    assert.equal(code, 0)
    const lines = stdout.replaceAll(/\d+(?:\.\d)? (?:ms|s)\b/g, 'TIME').replaceAll(/ {2,}/g, '  ')
    assert.deepEqual(lines.split('\n').slice(0, 5), [
      'Group billing: 4 pending entries, 4 shown',
      'ENTRY  CONSUMER  HELD FOR  TIMES  FIELDS',
      '1-0  worker-1  TIME  1  item=book1 price=1',
      '2-0  worker-1  TIME  1  deleted from the stream',
      '3-0  worker-1  TIME  1  item=book3 price=3',
    ])
    assert.match(stdout, /4-0 +"w 2" .* evil\\u001b\[2J=x+\.\.\.\n$/)
    const first = await run('pending', ...at('paged'), '--limit', '2')
    assert.match(first.stdout, /\nMore: --from 2-0\n$/)
    const rest = await json<{ entries: { id: string }[]; next: null }>(
      ...['pending', ...at('paged'), '--from', '2-0'],
    )
    assert.deepEqual([rest.entries.map(({ id }) => id), rest.next], [['3-0', '4-0'], null])
    const held = await json<{ entries: { fields: unknown }[] }>(
      ...['pending', ...at('paged'), '--consumer', 'w 2'],
    )
    assert.deepEqual(held.entries[0]?.fields, [['evil\u001B[2J', 'x'.repeat(200)]])
    const idle = await json<{ entries: unknown[] }>('pending', ...at('paged'), '--idle', '1h')
    assert.deepEqual(idle.entries, [])
  })

  test('consumers says that nobody can tell who lives', async () => {
    await stage.foreign('lives', { held: 1 })
    const { stdout } = await run('consumers', ...at('lives'))
    assert.match(stdout, /^worker-1 +no-lease +1 /m)
    assert.match(
      stdout,
      /None of them is of Millrace: without leases nobody can tell who lives\.\n$/,
    )
  })

  test('a consumer that holds entries is not removed: nobody would take them', async () => {
    await stage.foreign('kept', { held: 2 })
    const refused = await run('consumers', 'remove', 'worker-1', ...at('kept'))
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /2 entries are pending for it, and no consumer of Millrace .*XAUTOCLAIM/,
    )
    const [pending] = (await stage.redis.send('XPENDING', 'kept', 'billing')) as [number]
    assert.equal(pending, 2)
    await stage.redis.send('XACK', 'kept', 'billing', '1-0', '2-0')
    const removed = await run('consumers', 'remove', 'worker-1', ...at('kept'))
    assert.match(removed.stdout, /is removed\. Nothing was pending for it\.\n$/)
  })

  test('a pause says first that others do not heed it', async () => {
    await stage.foreign('paused', { held: 1 })
    const { stdout } = await run('pause', ...at('paused'))
    assert.equal(
      stdout,
      'No consumer of Millrace has worked on group billing yet, and others do not heed a pause of Millrace: they go on. ' +
        'Group billing is marked as paused: a consumer of Millrace halts when it starts.\n',
    )
    const again = await run('pause', ...at('paused'))
    assert.match(
      again.stdout,
      /^No consumer of Millrace .* is paused already, .*nothing changed\.\n$/,
    )
    const resumed = await run('resume', ...at('paused'))
    assert.match(
      resumed.stdout,
      /^No consumer of Millrace .*: they go on\. Group billing is resumed, within 2 s\.\n$/,
    )
  })

  test('groups fails for a group that there is not, and shows one of any name', async () => {
    await stage.foreign('named', { group: 'caf\u00e9 2' })
    for (const where of [['--stream', 'named'], []]) {
      const missing = await run('groups', ...where, '--group', 'nosuch')
      assert.equal(missing.code, 1)
      assert.match(missing.stdout, /nosuch/)
      assert.equal((await run('groups', ...where, '--group', 'caf\u00e9 2')).code, 0)
    }
    assert.equal((await run('groups', '--stream', 'named')).code, 0)
  })

  test('recover and trim do what can be known', async () => {
    await stage.foreign('trimmed', { entries: 9, held: 4 })
    const { stdout } = await run('recover', ...at('trimmed'))
    assert.match(
      stdout,
      /no consumer of Millrace has settled an entry of it yet\. Nothing to recover/,
    )
    await stage.redis.send('XACK', 'trimmed', 'billing', '1-0', '2-0')
    // All groups of the stream count, so none has to be named.
    const trimmed = await run('trim', '--stream', 'trimmed', '--keep', '0')
    assert.equal(trimmed.code, 0, trimmed.stderr)
    assert.match(trimmed.stdout, /^Stream trimmed: trimmed 2 entries, 7 stay\./)
    assert.match(trimmed.stderr, /^At redis:\S+, stream "trimmed":\n$/)
  })
})
