/** A right that is missing is told before anything is written; the documented rights suffice. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { MillraceError } from 'millrace'
import { groupKeys } from 'millrace/operate'
import { onEachServer, type Bench } from '../../../testing/on-each-server.ts'
import { within } from '../../../testing/wait-for.ts'
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
import { urlWithRights } from '../stage/connections.ts'

/** The fixture as a user with these rights. */
async function withRights(
  t: TestContext,
  bench: Bench,
  fixture: Fixture,
  rights: readonly string[],
): Promise<Fixture> {
  const millrace = await connectFor(t, { url: await urlWithRights(bench, '~*', ...rights) })
  return { ...fixture, millrace, group: millrace.group(fixture.visits, 'desk') }
}

const isRefused = (error: unknown): boolean =>
  error instanceof MillraceError && error.code === 'AUTHENTICATION'

/** The rights that docs/operations.md names for the processors. */
function documentedRights(): string[] {
  const text = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const [, section = ''] = text.split('\n## Rights\n')
  const [list = ''] = section.split('without them it works')
  const words = list.replace(/CLIENT ID and .*/s, '').match(/\b[A-Z]{3,}\b( [A-Z]{3,}\b)?/g) ?? []
  return words.map((words) => `+${words.toLowerCase().replace(' ', '|')}`)
}

onEachServer('rights', (bench) => {
  test('to TYPE: without it nothing is acknowledged that is not applied', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'one', 10)
    const limited = await withRights(t, bench(), fixture, ['+@all', '-type'])
    assert.ok(isRefused(await startConsumer(t, limited, 'one').ended))
    assert.equal((await fixture.group.describe()).pending, 10)
    startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
  })

  test('to HGET: redriving without it does not end the consumers', async (t) => {
    const fixture = await freshGroup(bench())
    const { redis, visits } = fixture
    await redis.send('XADD', visits.key, '0-1', 'guest', 'nobody')
    await appendVisits(fixture, 10)
    const { consumer } = startConsumer(t, fixture, 'one')
    await untilDrained(fixture)
    await consumer.stop()
    const limited = await withRights(t, bench(), fixture, ['+@all', '-hget'])
    const { redriven } = await limited.group.deadLetters.redrive({ ids: ['0-1'] })
    assert.equal(redriven, 1)
    startConsumer(t, fixture, 'two')
    await untilDrained(fixture)
    const counts = await redis.send('HMGET', groupKeys(visits.key, 'desk').ledger, 'redriven')
    assert.deepEqual(counts, ['1'])
  })

  test('to XINFO: without it no group is made, nor one taken for lost', async (t) => {
    const fixture = await freshGroup(bench())
    for (const [right, name] of [
      ['-xinfo|stream', 'new'],
      ['-xinfo|groups', 'desk'],
    ] as const) {
      const { millrace, visits } = await withRights(t, bench(), fixture, ['+@all', right])
      await assert.rejects(millrace.group(visits, name).create(), isRefused)
    }
    assert.equal(
      ((await fixture.redis.send('XINFO', 'GROUPS', fixture.visits.key)) as []).length,
      1,
    )
  })

  test('to XCLAIM: without it a consumer ends, instead of claiming nothing for ever', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    await readAndDie(fixture, 'dead', 1)
    await age(fixture, 'dead', 3_600_000)
    const limited = await withRights(t, bench(), fixture, ['+@all', '-xclaim'])
    const { ended } = startConsumer(t, limited, 'one', { claimAfterMs: 1000 })
    assert.ok(isRefused(await within(ended, { what: 'the consumer to end' })))
    assert.equal((await fixture.group.describe()).pending, 1)
  })

  test('as documented suffice for consumers with retries and claims', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 10)
    await readAndDie(fixture, 'dead', 2)
    const limited = await withRights(t, bench(), fixture, documentedRights())
    const { ended } = startConsumer(t, limited, 'one', {
      claimAfterMs: 100,
      handler: (_entry, { attempt }) => (attempt < 2 ? { kind: 'retry', afterMs: 20 } : undefined),
    })
    assert.equal(await Promise.race([ended, untilDrained(fixture)]), undefined)
    assert.deepEqual(await effects(fixture), { guests: 10, rooms: 10 })
  })
})
