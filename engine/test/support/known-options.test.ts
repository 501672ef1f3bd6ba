/** Options that nobody knows: every public call refuses them by name, and has done nothing then. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pressure, Trimmer } from 'millrace'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { checkKnown } from '../../src/support/known-options.ts'
import { appendVisits, freshGroup, visit, type Fixture } from '../stage/fixture.ts'
import { process } from '../stage/retention.ts'

/** Calls as JavaScript could, by what they are named in the error. */
function slips({ millrace, visits, group, prefix }: Fixture): Record<string, () => unknown> {
  const slip = (options: object): never => options as never
  const values = visit(1)
  const { deadLetters } = group
  const consumer = group.consumer('ada', { handler: () => undefined })
  const reader = millrace.reader(visits, {
    name: 'r',
    positionKey: `${prefix}:at`,
    projections: [],
  })
  const stream = `stream "${visits.key}"`
  return {
    [`trim ${stream}: option "dryrun" is unknown: did you mean "dryRun"?`]: () =>
      millrace.trim(visits, slip({ dryrun: true })),
    'respect a reader: option "ifMising" is unknown: did you mean "ifMissing"?': () =>
      millrace.trim(visits, { readers: [slip({ positionKey: prefix, ifMising: 'ignore' })] }),
    [`make a trimmer of ${stream}: option "dryRun" is unknown: there are keepEntries,`]: () =>
      new Trimmer(millrace, visits, slip({ dryRun: true })),
    [`watch the pressure of ${stream}: option "backlog" is unknown: did you mean "backlogMax"?`]:
      () => new Pressure(millrace, visits, slip({ backlog: 1 })),
    [`append to ${stream}: option "replica" is unknown: did you mean "replicas"?`]: () =>
      millrace.append(visits, values, slip({ replica: 1 })),
    [`append to ${stream}: option "extras" is unknown: did you mean "extra"?`]: () =>
      millrace.appendMany(visits, [{ values }, slip({ values, extras: {} })]),
    [`append to ${stream}: option "atomic" is unknown: did you mean "isAtomic"?`]: () =>
      millrace.appendBatch(visits, [{ values }], slip({ atomic: true })),
    [`append to ${stream}: option "idempotencykey" is unknown: did you mean "idempotencyKey"?`]:
      () => millrace.appendBatch(visits, [{ values }, slip({ values, idempotencykey: 'k' })]),
    'read ranking "top": option "offset" is unknown: there are limit, after': () =>
      millrace.rankingPage('top', slip({ limit: 1, offset: 2 })),
    'redrive dead letters: option "rate" is unknown: did you mean "ratePerSecond"?': () =>
      deadLetters.redrive({ all: true }, slip({ rate: 1 })),
    'purge dead letters: option "dryRun" is unknown: there are onOutcome, signal': () =>
      deadLetters.purge({ all: true }, slip({ dryRun: true })),
    'select dead letters: option "reasons" is unknown: did you mean "reason"?': () =>
      deadLetters.purge(slip({ all: true, reasons: 'handler' })),
    'list dead letters: option "limit" is unknown: there are order,': () =>
      deadLetters.list(slip({ limit: 1 })),
    'make a trimmer: option "observer.run" is unknown: did you mean "observer.ran"?': () =>
      new Trimmer(millrace, visits, slip({ observer: { run: () => undefined } })),
    'pause group "desk" or its consumers: option "futur" is unknown: did you mean "future"?': () =>
      group.pause({ consumer: 'bob' }, slip({ futur: true })),
    'pause or resume in group "desk": option "name" is unknown: there are consumer': () =>
      group.pause(slip({ name: 'bob' })),
    'repair the lag of group "desk": option "exec" is unknown: did you mean "execute"?': () =>
      group.repairLag(slip({ exec: true })),
    'accept losses of group "desk": option "excute" is unknown: did you mean "execute"?': () =>
      group.acceptLoss(slip({ excute: false })),
    'stop Consumer "ada": option "withinMS" is unknown: did you mean "withinMs"?': () =>
      consumer.stop(slip({ withinMS: 1 })),
    'stop Reader "r": option "timeoutMs" is unknown: there are withinMs': () =>
      reader.stop(slip({ timeoutMs: 1 })),
    'close the Millrace: option "within" is unknown: did you mean "withinMs"?': () =>
      millrace.close(slip({ within: 1 })),
  }
}

onOldestAndNewest('every call', (bench) => {
  test('refuses an option that nobody knows, and does nothing', async () => {
    const fixture = await freshGroup(bench())
    const { redis, visits, group } = fixture
    await appendVisits(fixture, 3)
    await process(fixture, 'desk', 3)
    await redis.send('XADD', fixture.dead, '1-0', 'id', '1-0', 'reason', 'handler')
    for (const [says, call] of Object.entries(slips(fixture))) {
      await assert.rejects(
        async () => await call(),
        (error: unknown) => {
          assert.ok(error instanceof TypeError)
          assert.equal(error.message.slice(0, `Cannot ${says}`.length), `Cannot ${says}`)
          return true
        },
      )
    }
    assert.equal(await redis.send('XLEN', visits.key), 3)
    assert.equal(await redis.send('XLEN', fixture.dead), 1)
    const pauses = await group.pauses()
    assert.deepEqual([pauses.group, { ...pauses.consumers }], [null, {}])
  })
})

test('an unknown option is told with the one that may be meant, if one is near', () => {
  const known = { keepMs: true, keepEntries: true, dryRun: true } as const
  const told = (name: string): string => {
    try {
      checkKnown('try', { [name]: 1 }, known)
    } catch (error) {
      return String(error)
    }
    return 'nothing'
  }
  const there = 'here are keepMs, keepEntries, dryRun'
  const near: [given: string, meant: string][] = [
    ['dryrun', 'dryRun'],
    ['DRYRUN', 'dryRun'],
    ['dryRum', 'dryRun'],
    ['keepEntry', 'keepEntries'],
    ['keepms', 'keepMs'],
    ['keepE', 'keepEntries'],
  ]
  for (const [given, meant] of near) {
    const says = `option "${given}" is unknown: did you mean "${meant}"? T${there}`
    assert.equal(told(given), `TypeError: Cannot try: ${says}`)
  }
  for (const given of ['count', 'maxLength', '']) {
    assert.equal(told(given), `TypeError: Cannot try: option "${given}" is unknown: t${there}`)
  }
  assert.equal(told('keepMs'), 'nothing')
})
