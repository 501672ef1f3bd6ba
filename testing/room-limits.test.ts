/** Rooms and files stay small enough to be read at one go. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { thisCheckout } from './processes.ts'

const filesMax = 14
const linesMax = 250
const houses = ['engine/src', 'ops/src', 'ops/page/src', 'checkin/src']

// What is not committed yet counts, too.
const list = ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...houses]
const listed = execFileSync('git', list, { cwd: thisCheckout, encoding: 'utf8' }).split('\n')
const files = listed.filter((file) => file !== '' && existsSync(join(thisCheckout, file)))

test(`no room has more than ${filesMax} files`, () => {
  assert.ok(files.length > 100, `Only ${files.length} files were found: the houses have moved`)
  const rooms = new Map<string, number>()
  for (const room of files.map(dirname)) rooms.set(room, (rooms.get(room) ?? 0) + 1)
  const crowded = [...rooms].filter(([, count]) => count > filesMax)
  const told = crowded.map(([room, count]) => `${room}: ${count} files`)
  assert.deepEqual(told, [], 'Move what belongs together into a room of its own')
})

test(`no file has more than ${linesMax} lines`, () => {
  const long = files.flatMap((file) => {
    const lines = readFileSync(join(thisCheckout, file), 'utf8').match(/\n/g)?.length ?? 0
    return lines > linesMax ? [`${file}: ${lines} lines`] : []
  })
  assert.deepEqual(long, [], 'Move what belongs together into a file of its own')
})
