/** Dead letters are sent back exactly once. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys, type DeadLetters } from 'millrace/operate'
import { onEachServer } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  age,
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  readAndDie,
  startConsumer,
  untilDrained,
  type Fixture,
} from '../stage/fixture.ts'

/** Appends visits of which those of guest 1 are refused, and waits until they are dead letters; then lifts the cause. */
async function refusedVisits(t: TestContext, fixture: Fixture, many: number): Promise<number> {
  const { redis, prefix } = fixture
  await redis.send('SET', `${prefix}:guests:1`, 'text')
  const ids = await appendVisits(fixture, many)
  const { consumer, ended } = startConsumer(t, fixture, 'first')
  await untilDrained(fixture)
  await consumer.stop()
  assert.equal(await ended, undefined)
  await redis.send('DEL', `${prefix}:guests:1`)
  const refused = ids.filter((_, n) => n % 7 === 0).length
  assert.equal(await redis.send('XLEN', fixture.dead), refused)
  return refused
}

/** Writes a dead letter as the engine does. */
async function writeLetter({ redis, dead }: Fixture, id: string, ...fields: string[]) {
  const time = String(Date.now() + 1000) // After the ledger began, on a server of this machine.
  const about = ['id', id, 'reason', 'handler', 'error', 'no', 'consumer', 'one', 'time', time]
  const named = fields.map((text, at) => (at % 2 === 0 ? `field:${text}` : text))
  return String(await redis.send('XADD', dead, '*', ...about, ...named))
}

const fieldsOf = (n: number): string[] => [
  ...['guest', String(1 + (n % 7))],
  ...['room', String(1 + (n % 3))],
  ...['stars', String(n % 6)],
]

/** Appends visits that are delivered and acknowledged. */
async function settledVisits(fixture: Fixture, many: number): Promise<void> {
  const ids = await appendVisits(fixture, many)
  await readAndDie(fixture, 'one', many)
  await fixture.redis.send('XACK', fixture.visits.key, 'desk', ...ids)
}

async function letterIds(deadLetters: DeadLetters): Promise<string[]> {
  const { letters } = await deadLetters.list({ order: 'oldest' })
  return letters.map(({ letterId }) => letterId)
}

onEachServer('redrive', (bench) => {
  test('makes refused entries take effect once, under their ids, and leaves others alone', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    const refused = await refusedVisits(t, fixture, 350)
    const { entriesRead, lag, lastDeliveredId } = await group.describe()
    assert.deepEqual(await effects(fixture), { guests: 300, rooms: 300 })
    const { redriven, ...rest } = await group.deadLetters.redrive({ all: true })
    assert.equal(redriven, refused)
    assert.deepEqual(Object.values(rest), [0, 0, 0, 0, 0, 0])
    const after = await group.describe()
    assert.equal(after.deadLetters, 0)
    assert.equal(after.pending, refused)
    assert.deepEqual(
      [after.entriesRead, after.lag, after.lastDeliveredId],
      [entriesRead, lag, lastDeliveredId],
    )
    const rows = (await redis.send('XPENDING', visits.key, 'desk', '-', '+', 999)) as string[][]
    const expected = Array.from({ length: refused }, (_, at) => `${at * 7 + 1}-0`)
    assert.deepEqual(
      rows.map(([id]) => id),
      expected,
    )
    startConsumer(t, fixture, 'second', { claimAfterMs: 200 })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 350, rooms: 350 })
  })

  test('takes effect once when two operators redrive all of it while a consumer dies', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    const refused = await refusedVisits(t, fixture, 1400)
    const { url } = bench().server
    const operators = [await connectFor(t, { url }), await connectFor(t, { url })]
    startConsumer(t, fixture, 'second', { claimAfterMs: 200, batch: 20 })
    startConsumer(t, fixture, 'third', { claimAfterMs: 200, batch: 20 })
    const redrives = operators.map((millrace) =>
      millrace.group(visits, 'desk').deadLetters.redrive({ all: true }),
    )
    // Takes what it can get, and is never heard of again.
    const claim = ['XAUTOCLAIM', visits.key, 'desk', 'doomed', '1000', '0']
    const held = await waitFor(
      async () => ((await redis.send(...claim, 'JUSTID')) as string[][])[1]?.length,
      { what: 'entries that the doomed consumer claims', everyMs: 1 },
    )
    const [one, other] = await Promise.all(redrives)
    assert.equal((one?.redriven ?? 0) + (other?.redriven ?? 0), refused)
    await age(fixture, 'doomed', 3_600_000)
    await untilDrained(fixture)
    t.diagnostic(`${one?.redriven} and ${other?.redriven} redriven, ${held} died with a consumer`)
    assert.deepEqual(await effects(fixture), { guests: 1400, rooms: 1400 })
    assert.equal((await group.describe()).deadLetters, 0)
  })

  test('makes what fails again a dead letter again, once, without going round', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    const id = await redis.send('XADD', visits.key, '*', 'guest', 'é\r\n', 'guest', '2')
    startConsumer(t, fixture, 'one', { claimAfterMs: 100 })
    await untilDrained(fixture)
    const [before] = (await group.deadLetters.list()).letters
    // By the id of the entry.
    assert.equal((await group.deadLetters.redrive({ ids: [String(id)] })).redriven, 1)
    await untilDrained(fixture)
    const [after, ...more] = (await group.deadLetters.list()).letters
    assert.equal(more.length, 0)
    assert.notEqual(after?.letterId, before?.letterId)
    assert.deepEqual({ ...after, letterId: 0, time: 0 }, { ...before, letterId: 0, time: 0 })
    assert.deepEqual(after?.fields, [
      ['guest', 'é\r\n'],
      ['guest', '2'],
    ])
  })

  test('works on entries of 10,000 fields', async (t) => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    const many = Array.from({ length: 20_000 }, (_, at) => `f${at}`)
    await redis.send('XADD', visits.key, '*', ...many)
    const { consumer } = startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    await consumer.stop()
    const [letter] = (await group.deadLetters.list()).letters
    assert.deepEqual([letter?.isPacked, letter?.fields], [true, []])
    assert.equal((await group.deadLetters.redrive({ all: true })).redriven, 1)
    assert.equal((await group.describe()).pending, 1)
  })

  test('keeps letters whose entry is gone, is another one, or is yet to be delivered', async () => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    await settledVisits(fixture, 5)
    await writeLetter(fixture, '1-0', ...fieldsOf(0))
    await writeLetter(fixture, '2-0', ...fieldsOf(1).slice(2))
    await writeLetter(fixture, '3-0')
    await writeLetter(fixture, '4-0', ...fieldsOf(3))
    await writeLetter(fixture, '99999999999999999999-0', ...fieldsOf(3))
    await redis.send('XADD', fixture.dead, '*', 'reason', 'by hand')
    await redis.send('XDEL', visits.key, '1-0')
    await redis.send('XGROUP', 'SETID', visits.key, 'desk', '3-0')
    const ids = await letterIds(group.deadLetters)
    const outcomes: string[] = []
    await group.deadLetters.redrive(
      { all: true },
      { ratePerSecond: 10_000, onOutcome: (id, outcome) => outcomes.push(`${id} ${outcome}`) },
    )
    const kept = ['body-gone', 'mismatch', 'mismatch', 'undelivered', 'mismatch', 'mismatch']
    assert.deepEqual(
      outcomes,
      kept.map((outcome, at) => `${String(ids[at])} ${outcome}`),
    )
    assert.equal((await group.describe()).pending, 0)
    assert.deepEqual(await letterIds(group.deadLetters), ids)
  })

  test('keeps a letter that is older than the group, which may have counted its entry again', async () => {
    const fixture = await freshGroup(bench())
    await settledVisits(fixture, 1)
    await writeLetter(fixture, '1-0', ...fieldsOf(0))
    const { ledger } = groupKeys(fixture.visits.key, 'desk')
    const { letterId = '' } = (await fixture.group.deadLetters.list()).letters[0] ?? {}
    await fixture.redis.send('HSET', ledger, 'lettersFrom', letterId)
    assert.equal((await fixture.group.deadLetters.redrive({ all: true })).older, 1)
    assert.equal((await fixture.group.describe()).pending, 0)
    assert.equal((await fixture.group.describe()).deadLetters, 1)
  })

  test('leaves an entry that is pending already with its consumer', async () => {
    const fixture = await freshGroup(bench())
    const { group, redis, visits } = fixture
    await settledVisits(fixture, 1)
    await writeLetter(fixture, '1-0', ...fieldsOf(0))
    await redis.send('XCLAIM', visits.key, 'desk', 'one', 0, '1-0', 'FORCE', 'JUSTID')
    assert.equal((await group.deadLetters.redrive({ all: true })).redriven, 1)
    const { consumers, deadLetters } = await group.describe()
    assert.equal(deadLetters, 0)
    assert.deepEqual(
      consumers.map(({ name, pending }) => [name, pending]),
      [['one', 1]],
    )
  })

  test('refuses ids that are none, and tells those that nothing or too much has', async () => {
    const fixture = await freshGroup(bench())
    const { group } = fixture
    await settledVisits(fixture, 2)
    const first = await writeLetter(fixture, '1-0', ...fieldsOf(0))
    const second = await writeLetter(fixture, first, ...fieldsOf(1))
    const { redriven, gone, ambiguous } = await group.deadLetters.redrive({
      ids: ['7-7', first, '1-0', '1-0'],
    })
    assert.deepEqual({ redriven, gone, ambiguous }, { redriven: 1, gone: 1, ambiguous: 1 })
    assert.deepEqual(await letterIds(group.deadLetters), [second])
    for (const id of ['', '1', '1-', 'x-0', '1-0 ', '-']) {
      await assert.rejects(group.deadLetters.redrive({ ids: [id] }), RangeError)
    }
    await assert.rejects(group.deadLetters.redrive({ all: true }, { ratePerSecond: 0 }), RangeError)
  })

  test('needs its group, and writes nothing without a right', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits, prefix, group } = fixture
    await settledVisits(fixture, 1)
    const letter = await writeLetter(fixture, '1-0', ...fieldsOf(0))
    const user = `operator-${prefix}`
    await redis.send('ACL', 'SETUSER', user, 'on', '>pw', '~*', '+@all', '-xdel')
    const url = bench().server.url.replace('//', `//${user}:pw@`)
    const limited = (await connectFor(t, { url })).group(visits, 'desk').deadLetters
    const isCode = (code: string) => (error: unknown) =>
      error instanceof MillraceError && error.code === code && !error.message.includes(':pw')
    await assert.rejects(limited.redrive({ all: true }), isCode('AUTHENTICATION'))
    assert.equal((await group.describe()).pending, 0)
    await redis.send('XGROUP', 'DESTROY', visits.key, 'desk')
    await assert.rejects(group.deadLetters.redrive({ all: true }), isCode('NO_GROUP'))
    await redis.send('DEL', visits.key)
    await assert.rejects(group.deadLetters.redrive({ all: true }), isCode('NO_GROUP'))
    assert.deepEqual(await letterIds(group.deadLetters), [letter])
    assert.equal(await redis.send('EXISTS', visits.key), 0)
    await redis.send('SET', visits.key, 'text')
    await assert.rejects(group.deadLetters.redrive({ all: true }), isCode('WRONG_TYPE'))
    await redis.send('SET', fixture.dead, 'text')
    await assert.rejects(group.deadLetters.list(), isCode('WRONG_TYPE'))
  })

  test('stops between two letters when it is told to', async () => {
    const fixture = await freshGroup(bench())
    await settledVisits(fixture, 3)
    for (const n of [0, 1, 2]) await writeLetter(fixture, `${n + 1}-0`, ...fieldsOf(n))
    const stop = new AbortController()
    const { redriven } = await fixture.group.deadLetters.redrive(
      { all: true },
      // Without the signal it would take an hour.
      { ratePerSecond: 1 / 3600, signal: stop.signal, onOutcome: () => stop.abort() },
    )
    assert.equal(redriven, 1)
    assert.equal((await fixture.group.describe()).deadLetters, 2)
  })
})
