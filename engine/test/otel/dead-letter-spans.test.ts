/** What goes wrong while it is traced: dead letters and their redrive, entries of others, parts of the application that throw. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanStatusCode } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-node'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { effects, startConsumer, untilDrained } from '../stage/fixture.ts'
import { appended, freshTraced, linkedBy, of } from '../stage/tracing.ts'

onOldestAndNewest('a traced consumer, and what goes wrong', (bench) => {
  test('has a span for each dead letter, whose fields keep the context; redriven, it links again', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { group } = fixture
    const { id, parent } = await appended(fixture)
    let isBroken = true
    const handler = () =>
      isBroken ? { kind: 'dead-letter' as const, reason: 'no such guest' } : undefined
    startConsumer(t, fixture, 'ada', { handler, claimAfterMs: 100 })
    const [dead] = await fixture.ended('dead-letter')
    const [process] = await fixture.ended('process')
    assert.equal(of(process, 'error.type'), 'dead-letter')
    assert.equal(dead?.status.code, SpanStatusCode.ERROR)
    assert.equal(dead.status.message, 'no such guest')
    assert.equal(of(dead, 'error.type'), 'handler')
    assert.equal(of(dead, 'messaging.operation.type'), 'settle')
    assert.deepEqual(linkedBy(dead), [parent])
    const [letter] = (await group.deadLetters.list()).letters
    assert.deepEqual(letter?.fields.at(-1), ['traceparent', parent])
    isBroken = false
    await group.deadLetters.redrive({ ids: [letter.letterId] })
    const [, again] = await fixture.ended('process', 2)
    assert.equal(of(again, 'messaging.message.id'), id)
    assert.deepEqual(linkedBy(again!), [parent])
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
  })

  test('links the dead letters of what cannot be decoded, and of what a hash refuses', async (t) => {
    const fixture = await freshTraced(t, bench())
    const { redis, visits, prefix } = fixture
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const told: string[][] = []
    await redis.send('XADD', visits.key, '*', 'guest', 'x', 'traceparent', parent)
    await redis.send('SET', `${prefix}:guests:2`, 'no hash')
    const refused = await appended(fixture, 1)
    startConsumer(t, fixture, 'ada', {
      mode: 'pull',
      observer: { deadLettered: (letters) => void told.push(...letters.map(Object.keys)) },
    })
    const dead = await fixture.ended('dead-letter', 2)
    assert.deepEqual(
      dead.map((span) => [of(span, 'error.type'), linkedBy(span)]),
      [
        ['undecodable', [parent]],
        ['refused', [refused.parent]],
      ],
    )
    await untilDrained(fixture)
    const names = told.flat().filter((name) => !['id', 'reason', 'error'].includes(name))
    assert.ok(!names.includes('carried'), 'an observer is not told what the entry holds')
  })

  for (const malformed of [
    '00-zz',
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-${'x'.repeat(100_000)}`,
  ]) {
    test(`takes an entry of others with the traceparent ${malformed.slice(0, 60)}`, async (t) => {
      const fixture = await freshTraced(t, bench())
      const { redis, visits } = fixture
      const values = ['guest', '1', 'room', '1', 'stars', '3']
      const more = ['traceparent', malformed, 'tracestate', '=,=\u0000']
      await redis.send('XADD', visits.key, '*', ...values, ...more)
      startConsumer(t, fixture, 'ada', { handler: () => undefined })
      const [process] = await fixture.ended('process')
      assert.deepEqual(process?.links, [])
      await untilDrained(fixture)
      assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
    })
  }

  test('goes on where a processor of spans throws', async (t) => {
    const onEnd = () => {
      throw new Error('broken processor')
    }
    const done = () => Promise.resolve()
    const broken = { onStart: () => undefined, onEnd, forceFlush: done, shutdown: done }
    const fixture = await freshTraced(t, bench(), { processors: [broken] })
    await appended(fixture)
    startConsumer(t, fixture, 'ada', { handler: () => undefined })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
  })

  test('works as ever where nothing is sampled', async (t) => {
    const fixture = await freshTraced(t, bench(), { sampler: new AlwaysOffSampler() })
    await appended(fixture)
    startConsumer(t, fixture, 'ada', { handler: () => undefined })
    await untilDrained(fixture)
    assert.deepEqual(await effects(fixture), { guests: 1, rooms: 1 })
    assert.deepEqual(fixture.spans(), [])
  })
})
