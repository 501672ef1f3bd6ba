/** Groups whose names Redis allows and the engine does not: looking works, and what changes something refuses. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Diagnosis } from '../../src/doctor/doctor.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

const escape = '\u001B'
const names = ['caf\u00e9 2', 'x'.repeat(70)]

describe('millrace on a group with a name that no group of Millrace has', () => {
  const stage = new OperatorStage()
  const { run, json } = stage

  for (const [at, name] of names.entries()) {
    const key = `named-${at}`
    const where = ['--stream', key, '--group', name]

    test(`looks at ${JSON.stringify(name)}`, async () => {
      await stage.foreign(key, { group: name, entries: 5, held: 2 })
      const pending = await json<{ group: string; total: number; entries: { id: string }[] }>(
        ...['pending', ...where],
      )
      assert.deepEqual([pending.group, pending.total], [name, 2])
      assert.deepEqual(
        pending.entries.map(({ id }) => id),
        ['1-0', '2-0'],
      )
      const filtered = await json<{ entries: object[] }>(
        ...['pending', ...where, '--filter', 'item:book2'],
      )
      assert.equal(filtered.entries.length, 1)
      const roster = await json<Record<string, unknown>[]>('consumers', ...where)
      assert.deepEqual(
        roster.map(({ name: consumer, state, pending: held }) => [consumer, state, held]),
        [['worker-1', 'no-lease', 2]],
      )
      const { group, balance, findings } = await json<Diagnosis>('doctor', ...where)
      assert.deepEqual([group, balance], [name, null])
      const of = (check: string) => findings.find((finding) => finding.check === check)?.what ?? ''
      assert.match(of('foreign-group'), /\(1 consumer\).* can have no group of this name/)
      assert.match(of('lag-stands'), /3 entries are undelivered.* and 2 pending\. Who read last/)
      // The only group of the stream need not be named.
      assert.match((await run('consumers', '--stream', key)).stdout, /^worker-1 +no-lease +2 /m)
    })
  }

  test('tells names of others escaped, and once', async () => {
    const [key, name] = ['e"v\u001B[2J', 'it"s\u001B[2J']
    const where = ['--stream', key, '--group', name]
    await stage.foreign(key, { group: name, entries: 5, held: 2 })
    const read = ['XREADGROUP', 'GROUP', name, 'w "\u001B', 'COUNT', '1']
    await stage.redis.send(...read, 'STREAMS', key, '>')
    const looks = [['groups'], ['pending'], ['consumers'], ['doctor'], ['recover']]
    const changes = [
      ['pause'],
      ['resume'],
      ['groups', 'create'],
      ['groups', 'repair-lag'],
      ['groups', 'accept-loss'],
      ['dead-letters', 'list'],
      ['dead-letters', 'redrive', '--all'],
      ['consumers', 'remove', 'worker-1'],
    ]
    for (const args of [...looks, ...changes]) {
      const { stdout, stderr, code } = await run(...args, ...where)
      const told = `${args.join(' ')}: ${stdout}${stderr}`
      assert.ok(!told.includes(escape), told)
      assert.doesNotMatch(told, /\\u005c|\\\\/, told)
      if (changes.includes(args)) {
        assert.equal(code, 2, told)
        assert.match(stderr, /Cannot work on group .* what changes something is for groups of M/)
      }
    }
    // A stream of such a name, and a group of ours.
    await stage.redis.send('XGROUP', 'CREATE', key, 'desk', '0')
    const alone = [['groups'], ['trim', '--keep', '0', '--dry-run']]
    for (const args of [
      ...alone,
      ...[...looks, ...changes].map((args) => [...args, '--group', 'desk']),
    ]) {
      const { stdout, stderr } = await run(...args, '--stream', key)
      const told = `${args.join(' ')}: ${stdout}${stderr}`
      assert.ok(!told.slice(args.join(' ').length).includes(escape), told)
      assert.doesNotMatch(told, /\\u005c|\\\\/, told)
    }
    const [pending] = (await stage.redis.send('XPENDING', key, name)) as [number]
    assert.equal(pending, 3)
  })
  test('says which there are, where there is none of that name', async () => {
    await stage.foreign('other', { entries: 1 })
    for (const args of [['pending'], ['consumers']]) {
      const { stderr, code } = await run(...args, '--stream', 'other', '--group', 'no such')
      assert.equal(code, 1)
      assert.match(stderr, /it has no group "no such"\. See which there are: "npx millrace groups /)
    }
    const { findings } = await json<Diagnosis>(
      ...['doctor', '--stream', 'other', '--group', 'no such'],
    )
    const missing = findings.find(({ check }) => check === 'group-not-created')
    assert.match(missing?.remedy ?? '', /^npx millrace groups .*shows which there are\.$/)
  })
})
