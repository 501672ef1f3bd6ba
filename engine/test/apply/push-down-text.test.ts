/** Push-down reads UTF-8 in Lua, pulling in Node: both take the same bytes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { count, entryTime, first, integer, latest, projection, stream, sum, text } from 'millrace'
import { fieldsMax, plansMax } from '../../src/apply/push-down-limits.ts'
import { freshPrefix, onEachServer } from '../../../testing/on-each-server.ts'
import { propertyRuns } from '../../../testing/property-runs.ts'
import { hashesUnder, withoutPrefix } from '../stage/hashes.ts'

onEachServer('push-down', (bench) => {
  test('takes the same bytes for UTF-8 as pulling', async () => {
    const { millrace, redis } = bench()
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 5 })
    const near = fc.constantFrom(
      ...[
        [0xc3, 0xa9],
        [0xc0, 0x80],
        [0xe0, 0x9f, 0xbf],
        [0xed, 0xa0, 0x80],
        [0xed, 0x9f, 0xbf],
      ],
      ...[
        [0xf0, 0x90, 0x80, 0x80],
        [0xf0, 0x8f, 0xbf, 0xbf],
        [0xf4, 0x8f, 0xbf, 0xbf],
        [0xf4, 0x90, 0x80, 0x80],
      ],
      ...[[0xef, 0xbf, 0xbd], [0xef, 0xbb, 0xbf], [0xe2, 0x82], [0x80], [0xff], [0x41, 0xc3]],
    )
    const texts = fc.array(
      fc.oneof(
        bytes,
        near.map((some) => Uint8Array.from(some)),
      ),
      { minLength: 1, maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(texts, async (some) => {
        const left = []
        for (const mode of ['pull', 'push-down'] as const) {
          const prefix = freshPrefix()
          const notes = stream(`${prefix}:notes`, { about: text() })
          const group = millrace.group(notes, 'g')
          await group.create()
          // A Lua script takes any bytes; the test's client sends text.
          const script = `for at = 1, #ARGV do
            redis.call('XADD', KEYS[1], at .. '-0', 'about', (ARGV[at]:gsub('..', function(h) return string.char(tonumber(h, 16)) end)))
          end`
          const hex = some.map((bytes) => Buffer.from(bytes).toString('hex'))
          await redis.send('EVAL', script, '1', notes.key, ...hex)
          const about = projection(`${prefix}:about:{about}`, { notes: count() })
          await group.consumer('c', { projections: [about], mode, drain: true }).run()
          const letters = (await redis.send('XRANGE', `${notes.key}:g:dead`, '-', '+')) as [
            string,
            string[],
          ][]
          left.push([
            withoutPrefix(prefix, await hashesUnder(redis, prefix)),
            letters.map(([, flat]) => flat.slice(0, 6)),
          ])
        }
        assert.deepEqual(left[1], left[0])
      }),
      { numRuns: propertyRuns(100, bench().kind) },
    )
  })

  test('takes the widest declaration that it may be asked for, and is refused beyond', async () => {
    const { millrace, redis } = bench()
    const prefix = freshPrefix()
    const names = Array.from({ length: fieldsMax }, (_, at) => `f${at}`)
    const wide = stream(
      `${prefix}:wide`,
      Object.fromEntries(names.map((name) => [name, integer()])),
    )
    const folds = (many: number) =>
      Array.from({ length: many }, (_, at) =>
        projection(`${prefix}:p${at}:{f${at}}/{f0}`, {
          ...Object.fromEntries(names.map((name) => [name, sum(name)])),
          seen: latest(entryTime()),
          first: first('f1'),
        }),
      )
    const group = millrace.group(wide, 'g')
    await group.create()
    await millrace.append(wide, Object.fromEntries(names.map((name, at) => [name, at])))
    const options = { mode: 'push-down', drain: true } as const
    await group.consumer('c', { ...options, projections: folds(plansMax) }).run()
    for (let at = 0; at < plansMax; at += 1) {
      assert.equal(await redis.send('HGET', `${prefix}:p${at}:${at}/0`, 'f29'), '29')
    }
    const beyond = { ...options, projections: folds(plansMax + 1) }
    assert.throws(() => group.consumer('c', beyond), /Cannot push down: that takes 1 to 12/)
  })
})
