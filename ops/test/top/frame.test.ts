/** The screen of `top` as lines, without a terminal: order, sentence, widths, ages, keys. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { GroupSnapshot, Snapshot } from '../../src/snapshot/snapshot.ts'
import { widthOf } from '../../src/terminal/fit.ts'
import { nothingSeen, type Seen } from '../../src/top/feed.ts'
import { frameOf, type Frame } from '../../src/top/frame.ts'
import { actionOf, singleKeys } from '../../src/top/keys.ts'
import { toldOf } from '../../src/top/sentence.ts'
import { after, firstView, type View } from '../../src/top/view.ts'
import { propertyRuns } from '../../../testing/property-runs.ts'
import { madeConsumer, madeGroup, madeSnapshot } from '../stage/made-snapshot.ts'

const options = { url: 'redis://here', everyMs: 1000, nowMs: 1000, size: { columns: 80, rows: 24 } }
const seen = (snapshot: Snapshot): Seen => ({ ...nothingSeen, snapshot, atMs: 1000 })
const textOf = ({ lines }: Frame): string[] =>
  lines.map((line) => line.map(({ text }) => text).join(''))

/** The view after keys, typed one by one. */
function typed(view: View, now: Seen, input: string): View {
  return (input === '' ? [] : singleKeys({ input, isCtrl: false })).reduce((at, key) => {
    const action = actionOf(key, { isTyping: at.draft !== null, page: 10 })
    assert.ok(action !== null && action !== 'quit', JSON.stringify(key))
    return after(at, action, frameOf(at, now, options).shown)
  }, view)
}

const late: Partial<GroupSnapshot> = {
  lag: 1204,
  timeLagMs: 3100,
  state: 'catching-up',
  secondsToCatchUp: 9,
}
const three = seen(
  madeSnapshot(
    madeGroup({ name: 'calm' }),
    madeGroup({ name: 'alone', state: 'nobody', lag: 3, timeLagMs: 90_000 }),
    madeGroup({ name: 'late', ...late }),
  ),
)

describe('the screen of top', () => {
  test('has the worst group first, and one sentence about it above', () => {
    const lines = textOf(frameOf(firstView(null), three, options))
    assert.match(
      lines[1] ?? '',
      /^Nobody works: alone, 1 of 1 consumer alive, 3 waiting, time lag 1 min\./,
    )
    const rows = lines.slice(5, 8).map((line) => line.slice(2, 30).trim().split(/ +/).slice(0, 2))
    assert.deepEqual(rows, [
      ['nobody', 'alone'],
      ['catching-up', 'late'],
      ['idle', 'calm'],
    ])
  })

  test('tells in its sentence when it ends, and what was given up where nothing is late', () => {
    assert.deepEqual(toldOf(madeSnapshot(madeGroup(late))), {
      text: 'Behind, catching up: billing, 1 of 1 consumer alive, 1,204 waiting, time lag 3.1 s, clear in 9.0 s.',
      tone: 'warn',
    })
    const newest = { id: '9-0', entryId: '5-0', reason: 'handler', ageMs: 120_000 }
    assert.deepEqual(
      toldOf(madeSnapshot(madeGroup({ deadLetters: 4, newestDeadLetter: newest }))),
      {
        text: '4 dead letters, the newest 2 min ago: handler. Else all well: billing, nothing waits.',
        tone: 'warn',
      },
    )
    assert.equal(toldOf(madeSnapshot(madeGroup())).text, 'All well: billing, nothing waits.')
    assert.equal(toldOf(madeSnapshot()).text, 'There is no group; looked at 12 keys.')
  })

  test('says what is not known, and shows no nought for it', () => {
    const doubt = { lag: null, lagDoubt: { why: 'entries-deleted', atLeast: 1000 } } as const
    const [, , , , , row = ''] = textOf(
      frameOf(
        firstView(null),
        seen(madeSnapshot(madeGroup({ ...doubt, timeLagMs: null }))),
        options,
      ),
    )
    assert.match(row, / - +>=1,000 /)
  })

  test('says how old it is as soon as it is late, in a pause, and where nothing came yet', () => {
    const head = (now: Seen, nowMs: number, view = firstView(null)): string =>
      textOf(frameOf(view, now, { ...options, nowMs }))[0] ?? ''
    assert.match(head(three, 3900), / live$/)
    assert.match(head(three, 13_500), / stale 12 s$/)
    assert.match(head({ ...three, trouble: 'gone.' }, 2000), / stale 1 s$/)
    assert.match(head(three, 13_500, typed(firstView(null), three, ' ')), / paused, 12 s old$/)
    assert.match(head(nothingSeen, 0), / connecting$/)
    assert.match(head({ ...nothingSeen, trouble: 'gone.' }, 0), / no data$/)
  })

  test('goes in by Enter and out by Esc, and keeps the row and the group', () => {
    const scene = seen(
      madeSnapshot(
        madeGroup({
          consumers: [madeConsumer(), madeConsumer({ name: 'w-2', state: 'expired', pending: 2 })],
        }),
      ),
    )
    const inside = typed(firstView(null), scene, '\rj\r')
    assert.deepEqual(
      inside.levels.map(({ tab, scope }) => [tab, scope?.consumer]),
      [
        ['groups', undefined],
        ['consumers', undefined],
        ['pending', 'w-1'],
      ],
    )
    const outside = typed(inside, scene, '\u001B')
    assert.equal(outside.levels.at(-1)?.selected, 'orders billing w-1')
    // Who is gone with something in hand stands above the living.
    assert.match(textOf(frameOf(outside, scene, options))[5] ?? '', /^ {2}expired +w-2/)
  })

  test('filters by words while they are typed, and sorts by each column in turn', () => {
    const filtered = typed(firstView(null), three, '/LATE')
    assert.equal(frameOf(filtered, three, options).shown.rows.length, 1)
    const dropped = typed(filtered, three, '\u001B')
    assert.equal(frameOf(dropped, three, options).shown.rows.length, 3)
    const names = (view: View): (string | undefined)[] =>
      frameOf(view, three, options).shown.rows.map(({ cells }) => cells[1])
    assert.deepEqual(names(typed(dropped, three, 'ss')), ['alone', 'calm', 'late'])
    assert.deepEqual(names(typed(dropped, three, 'ssS')), ['late', 'calm', 'alone'])
    const all = frameOf(dropped, three, options).shown.columns
    assert.deepEqual(names(typed(dropped, three, 's'.repeat(all + 1))), ['alone', 'late', 'calm'])
  })

  test('is as many lines as fit, none longer than the terminal, whatever stands in names', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
    const keys = fc.constantFrom('', '2', '3', '4', '?', '/x', 's', 'sS', '\r')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, name), { maxLength: 30 }),
        fc.integer({ min: 20, max: 250 }),
        fc.integer({ min: 8, max: 60 }),
        keys,
        (named, columns, rows, pressed) => {
          const groups = named.map(([stream, group], at) =>
            madeGroup({
              stream,
              name: `${group}${at}`,
              lag: at * 1e9,
              consumers: [madeConsumer({ name: group })],
            }),
          )
          const now = seen(madeSnapshot(...groups))
          const size = { columns, rows }
          const lines = textOf(
            frameOf(typed(firstView(null), now, pressed), now, { ...options, size }),
          )
          assert.equal(lines.length, rows - 1)
          for (const line of lines) {
            assert.ok(widthOf(line) <= columns, `${widthOf(line)} columns: ${line}`)
            assert.doesNotMatch(line, /\p{Cc}/u)
          }
        },
      ),
      { numRuns: propertyRuns(60) },
    )
  })
})
