/** What handlers, policies and orders return and throw: each has a meaning, and nothing is left waiting in silence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryOf, Handler, RetryPolicy } from 'millrace'
import { onEachServer } from '../../../testing/on-each-server.ts'
import {
  appendVisits,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
  type Fixture,
  type VisitFields,
} from '../stage/fixture.ts'

/** What a handler without types could return. */
const handlerReturning = (values: readonly unknown[]): Handler<VisitFields> => {
  return ({ id }) => values[Number.parseInt(id, 10) - 1] as undefined
}

/** Errors of the dead letters by entry id. */
async function lettersOf({ group }: Fixture): Promise<Record<string, string>> {
  const { letters } = await group.deadLetters.list({ order: 'oldest', count: 100 })
  return Object.fromEntries(letters.map(({ entryId, error }) => [entryId, error]))
}

/** A handler of one's own is typed by its stream, and need not return anything. */
const typed: {
  readonly handler: Handler<VisitFields>
  readonly named: (entry: EntryOf<Fixture['visits']>) => number
} = {
  handler: (entry) => void typed.named(entry),
  named: ({ values }) => values.stars,
}
const forgetful: readonly Handler<VisitFields>[] = [
  (entry) => console.log(entry.id),
  (entry): void => console.log(entry.id),
  async ({ id }) => {
    await Promise.resolve(id)
  },
  async ({ id }) => (id === '1-0' ? { kind: 'retry' } : await Promise.resolve(undefined)),
]
// @ts-expect-error -- a kind that is none is a slip, where types can see it
const mistyped: Handler<VisitFields> = () => ({ kind: 'ack' })

test('a handler may return nothing, in every way that a function can', () => {
  assert.equal([...forgetful, mistyped, typed.handler].length, 6)
})

onEachServer('what a handler returns', (bench) => {
  test('acknowledges unless it is an outcome, whatever it is', async (t) => {
    const fixture = await freshGroup(bench())
    const some = [true, false, 0, 42, 10n, '', 'ok', [], {}, { kind: 'ack' }, { kind: 1 }, null]
    const others = [Symbol('s'), () => 'x', new Map(), Object.create(null) as object, undefined]
    const values = [...some, ...others, { rows: [{ kind: 'retry' }], rowCount: 1 }]
    await appendVisits(fixture, 2 * values.length)
    const late = values.map(async (value) => Promise.resolve(value))
    const { consumer } = startConsumer(t, fixture, 'one', {
      handler: handlerReturning([...values, ...late]),
    })
    await untilDrained(fixture)
    await consumer.stop()
    const all = 2 * values.length
    assert.equal(consumer.counts.applied, all)
    assert.deepEqual(await effects(fixture), { guests: all, rooms: all })
  })

  test('is a failed attempt that says what came, where an outcome is not whole', async (t) => {
    const fixture = await freshGroup(bench())
    const waits = [Number.NaN, -1, Infinity, '50', null, 10n]
    const values = [
      ...waits.map((afterMs) => ({ kind: 'retry', afterMs })),
      ...[{ kind: 'dead-letter' }, { kind: 'dead-letter', reason: 404 }],
    ]
    await appendVisits(fixture, values.length)
    startConsumer(t, fixture, 'one', { attemptsMax: 2, handler: handlerReturning(values) })
    await untilDrained(fixture)
    const rule = 'afterMs is a number of milliseconds, 0 or more (attempt 2 of 2)'
    const said = ['NaN', '-1', 'Infinity', "'50'", 'null', '10n'].map((wait, at) => [
      `${at + 1}-0`,
      `the handler returned { kind: 'retry', afterMs: ${wait} }: ${rule}`,
    ])
    assert.deepEqual(await lettersOf(fixture), {
      ...Object.fromEntries(said),
      '7-0': `the handler returned { kind: 'dead-letter' }: reason is a text (attempt 2 of 2)`,
      '8-0': `the handler returned { kind: 'dead-letter', reason: 404 }: reason is a text (attempt 2 of 2)`,
    })
  })

  test('may leave out how long to wait, and give an error as the reason', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 2)
    const attempts: number[] = []
    startConsumer(t, fixture, 'one', {
      handler: ({ id }, { attempt }) => {
        if (id === '2-0') return { kind: 'dead-letter', reason: new Error('no') as never }
        attempts.push(attempt)
        return attempt < 3 ? { kind: 'retry' } : undefined
      },
    })
    await untilDrained(fixture)
    assert.deepEqual(attempts, [1, 2, 3])
    assert.deepEqual(await lettersOf(fixture), { '2-0': 'no' })
  })
})

onEachServer('attemptsMax', (bench) => {
  test('bounds what the policy says, and what the handler asks for', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 2)
    let calls = 0
    startConsumer(t, fixture, 'one', {
      attemptsMax: 3,
      handler: ({ id }) => {
        calls += 1
        if (id === '1-0') throw new Error('busy')
        return { kind: 'retry', afterMs: 1 }
      },
      retry: ({ attempt }) => ({ kind: 'retry', afterMs: attempt }),
    })
    await untilDrained(fixture)
    assert.equal(calls, 6)
    assert.deepEqual(await lettersOf(fixture), {
      '1-0': 'busy (attempt 3 of 3)',
      '2-0': 'the handler asked for a retry (attempt 3 of 3)',
    })
  })

  test('of Infinity is no bound', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 1)
    startConsumer(t, fixture, 'one', {
      attemptsMax: Infinity,
      handler: (_entry, { attempt }) => {
        if (attempt < 12) throw new Error('not yet')
      },
      retry: () => ({ kind: 'retry', afterMs: 1 }),
    })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
    for (const attemptsMax of [0, 1.5, Number.NaN, -Infinity]) {
      assert.throws(() => fixture.group.consumer('x', { handler: () => undefined, attemptsMax }), {
        message: `Cannot use attemptsMax ${attemptsMax}: it is an integer of at least 1, or Infinity`,
      })
    }
  })
})

onEachServer('a retry policy', (bench) => {
  test('that throws or answers nonsense leaves it to the default, and the letter says so', async (t) => {
    const fixture = await freshGroup(bench())
    const answers = [Number.NaN, -1, Infinity, '50', 10n].map((afterMs) => ({
      kind: 'retry',
      afterMs,
    }))
    const odd: unknown[] = [...answers, { kind: 'again' }, true, 'async']
    await appendVisits(fixture, odd.length + 1)
    const seen: Record<string, number> = {}
    const retry: RetryPolicy<VisitFields> = ({ entry }) => {
      const at = Number.parseInt(entry.id, 10) - 1
      if (at === odd.length) throw new Error('a bug')
      if (odd[at] === 'async') return Promise.reject(new Error('late')) as never
      return odd[at] as undefined
    }
    startConsumer(t, fixture, 'one', {
      attemptsMax: 2,
      retry,
      handler: ({ id }) => {
        seen[id] = (seen[id] ?? 0) + 1
        throw new Error('busy')
      },
    })
    await untilDrained(fixture)
    assert.deepEqual([...new Set(Object.values(seen))], [2])
    const says = (what: string) =>
      `busy; the retry policy ${what}, so the default holds (attempt 2 of 2)`
    const letters = await lettersOf(fixture)
    assert.equal(letters['1-0'], says("returned { kind: 'retry', afterMs: NaN }"))
    assert.equal(letters['5-0'], says("returned { kind: 'retry', afterMs: 10n }"))
    assert.equal(letters['6-0'], says("returned { kind: 'again' }"))
    assert.equal(letters['7-0'], says('returned true'))
    assert.match(letters['8-0'] ?? '', /^busy; the retry policy returned Promise/)
    assert.equal(letters['9-0'], says('threw "a bug"'))
  })
})

onEachServer('orderBy', (bench) => {
  test('that throws or gives no place fails the attempt at its entry alone', async (t) => {
    const fixture = await freshGroup(bench())
    await appendVisits(fixture, 6)
    const handled: string[] = []
    startConsumer(t, fixture, 'one', {
      attemptsMax: 2,
      orderBy: ({ id }) => {
        if (id === '2-0') throw new Error('no order')
        if (id === '3-0') return undefined as never
        return 'all'
      },
      handler: ({ id }) => void handled.push(id),
    })
    await untilDrained(fixture)
    assert.deepEqual(handled, ['1-0', '4-0', '5-0', '6-0'])
    assert.deepEqual(await lettersOf(fixture), {
      '2-0': 'orderBy threw "no order" (attempt 2 of 2)',
      '3-0': 'orderBy returned undefined: it is a text or a number (attempt 2 of 2)',
    })
    assert.deepEqual(await effects(fixture), { guests: 4, rooms: 4 })
  })
})
