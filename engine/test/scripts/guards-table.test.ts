/** `docs/guards.md` is complete: each guard that a script or a role promises has a test there, and each test is there. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** A guard of a script or role, as its header promises it. */
interface Guard {
  readonly of: string
  readonly name: string
}

interface Row extends Guard {
  readonly file: string
  readonly title: string
}

const root = new URL('../../../', import.meta.url)

/** The guards in the comments of a source: lines `name: what it does` behind `Guards:`, which deeper ones continue. */
function guardsIn(of: string, source: string): Guard[] {
  const blocks = source.matchAll(/^(?:--| \*) Guards:\n((?:(?:--| \*) {3,}\S.*(?:\n|$))+)/gm)
  return [...blocks].flatMap(([, lines = '']) =>
    [...lines.matchAll(/^(?:--| \*) {3}(\S+): /gm)].map(([, name = '']) => ({ of, name })),
  )
}

function rowsIn(table: string): Row[] {
  const lines = table.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(2).map((line) => {
    const [of = '', name = '', file = '', title = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'))
    return { of, name, file, title }
  })
}

/** @param read returns the text of a file, undefined when there is none. */
function problemsOf(
  guards: readonly Guard[],
  rows: readonly Row[],
  read: (file: string) => string | undefined,
): string[] {
  const keyOf = ({ of, name }: Guard): string => `${of}: ${name}`
  const promised = guards.map(keyOf)
  const held = rows.map(keyOf)
  return [
    ...promised
      .filter((key, at) => promised.indexOf(key) < at)
      .map((key) => `promised twice: ${key}`),
    ...promised.filter((key) => !held.includes(key)).map((key) => `no row: ${key}`),
    ...held.filter((key) => !promised.includes(key)).map((key) => `no such guard: ${key}`),
    ...rows.flatMap(({ file, title }) => {
      const text = read(file)?.replace(/\btest\(\s+/g, 'test(')
      if (text === undefined) return [`no such file: ${file}`]
      const isThere =
        title !== '' &&
        ["'", '"', '`'].some((quote) => text.includes(`test(${quote}${title}${quote}`))
      return isThere ? [] : [`no such test in ${file}: ${title}`]
    }),
  ]
}

function read(file: string): string | undefined {
  const url = new URL(file, root)
  return file !== '' && existsSync(url) ? readFileSync(url, 'utf8') : undefined
}

const table = read('docs/guards.md') ?? ''

test('each guard that is promised has a test in docs/guards.md, and each row there a guard and its test', () => {
  const sources = ['lua', 'src'].flatMap((folder) =>
    readdirSync(new URL(`engine/${folder}`, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(lua|ts)$/.test(file))
      .map((file) => `${folder}/${file}`),
  )
  const guards = sources.flatMap((file) => guardsIn(file, read(`engine/${file}`) ?? ''))
  assert.ok(guards.length > 0)
  assert.deepEqual(problemsOf(guards, rowsIn(table), read), [])
})

/** Commands that change something, as the scripts call them. */
const writes =
  /redis\.p?call\('(?:X(?:ADD|ACK|CLAIM|DEL|GROUP|SETID|TRIM)|H(?:SET|DEL|INCRBY)|Z(?:ADD|REM\w*|INCRBY)|P?EXPIRE|SET|DEL|UNLINK)'/

test('each script and each part that writes promises what it guards', () => {
  const files = readdirSync(new URL('engine/lua', root), { recursive: true, encoding: 'utf8' })
  const texts = files
    .filter((file) => file.endsWith('.lua'))
    .map((file) => ({ file, text: read(`engine/lua/${file}`) ?? '' }))
  const writing = texts.filter(({ text }) => writes.test(text))
  assert.ok(writing.length > 10)
  const silent = writing.filter(({ file, text }) => guardsIn(file, text).length === 0)
  assert.deepEqual(
    silent.map(({ file }) => file),
    [],
  )
})

test('guards are found in headers of scripts and in comments of roles', () => {
  const script = `-- Does something.
-- Guards:
--   token: applies nothing for another one,
--     whoever: it is
--   pending: applies nothing twice
-- KEYS[1] stream

local at = 1`
  const role = `/**
 * Does something.
 * Guards:
 *   stop: takes nothing any more
 */`
  const promised = [
    { of: 'lua/some.lua', name: 'token' },
    { of: 'lua/some.lua', name: 'pending' },
    { of: 'src/some.ts', name: 'stop' },
  ]
  assert.deepEqual(guardsIn('lua/some.lua', script), promised.slice(0, 2))
  assert.deepEqual(guardsIn('src/some.ts', role), promised.slice(2))
})

test('what a table lacks or has too much is told', () => {
  const guard = { of: 'lua/some.lua', name: 'token' }
  const row = { ...guard, file: 'some.test.ts', title: 'applies nothing' }
  const there = (): string => "test('applies nothing', () => undefined)"
  assert.deepEqual(problemsOf([guard], [row], there), [])
  assert.deepEqual(problemsOf([guard], [], there), ['no row: lua/some.lua: token'])
  assert.deepEqual(problemsOf([], [row], there), ['no such guard: lua/some.lua: token'])
  assert.deepEqual(problemsOf([guard, guard], [row], there), [
    'promised twice: lua/some.lua: token',
  ])
  const none = problemsOf([guard], [row], () => undefined)
  assert.deepEqual(none, ['no such file: some.test.ts'])
  const other = problemsOf([guard], [{ ...row, title: 'applies' }], there)
  assert.deepEqual(other, ['no such test in some.test.ts: applies'])
  assert.deepEqual(
    rowsIn('| of | guard | file | title |\n| --- | --- | --- | --- |\n| `a` | b | `c` | d |'),
    [{ of: 'a', name: 'b', file: 'c', title: 'd' }],
  )
})
