import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { openProgress } from '../../src/loader/progress.ts'

function screen(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY })
  return { stream, shown: () => String(stream.read() ?? '') }
}

test('progress is silent in the first second', () => {
  for (const isTTY of [true, false]) {
    const { stream, shown } = screen(isTTY)
    const progress = openProgress(stream, 100, () => 0)
    progress.written(50)
    progress.end()
    assert.equal(shown(), '')
  }
})

test('progress without a terminal is a plain line each five seconds', () => {
  const { stream, shown } = screen(false)
  let now = 0
  const progress = openProgress(stream, 2_000_000, () => now)
  for (now of [999, 1000, 1001, 5999, 6000]) progress.written(250_000)
  progress.end()
  assert.equal(
    shown(),
    'Loaded 500,000 of 2,000,000 records (25 %)\nLoaded 1,250,000 of 2,000,000 records (62 %)\n',
  )
})

test('progress on a terminal is a bar that is taken away at the end', () => {
  const { stream, shown } = screen(true)
  let now = 0
  const progress = openProgress(stream, 200, () => now)
  now = 1000
  progress.written(50)
  progress.written(50)
  progress.end()
  progress.end()
  const text = shown()
  assert.match(text, /Loading \[#+\.+\] 25 % of 200 records/)
  const afterBar = text.slice(text.lastIndexOf('records'))
  assert.match(afterBar, /\[0?[JK]/, 'the line is cleared at last')
})
