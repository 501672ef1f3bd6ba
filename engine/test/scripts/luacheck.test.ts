/**
 * All Lua passes luacheck, put together as it is sent: a part sees what others define only there. That a script uses not all
 * that its parts define is no fault, that no script does is one; so are a name that nobody defines, a second meaning of a
 * name, and a value that nobody reads.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  average,
  count,
  first,
  integer,
  latest,
  max,
  min,
  projection,
  stream,
  sum,
  text,
} from 'millrace'
import { compilePlans } from '../../src/apply/compile-plan.ts'
import { compilePushDown } from '../../src/apply/compile-push-down.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { script } from '../stage/script-calls.ts'

const lua = fileURLToPath(new URL('../../lua', import.meta.url))
const unpacked = fileURLToPath(
  new URL('../../../.cache/servers/luacheck/bin/luacheck', import.meta.url),
)
const luacheck = existsSync(unpacked) ? unpacked : 'luacheck'
const isThere = spawnSync(luacheck, ['--version']).status === 0
const skip = isThere
  ? false
  : 'there is no luacheck: "npm run setup -- --with-servers" fetches it on Debian'

const flags = [
  ...['--std', 'lua51', '--globals', 'redis', 'cjson', 'cmsgpack', 'bit', 'KEYS', 'ARGV'],
  // Lines that are compiled are as long as the declaration makes them, or empty; "not (a < b)" is compiled for the sake of NaN.
  ...['--no-max-line-length', '--ignore', '611', '581'],
  ...['--codes', '--formatter', 'plain', '--quiet'],
]

const unused = 'W211'

interface Warning {
  readonly script: string
  readonly line: number
  readonly code: string
  readonly said: string
}

function warningsOf(t: TestContext, texts: Readonly<Record<string, string>>): Warning[] {
  const folder = mkdtempSync(join(tmpdir(), 'luacheck-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, source] of Object.entries(texts)) {
    // The first line is for Redis; an empty one keeps the numbers.
    writeFileSync(join(folder, `${name}.lua`), source.replace(/^#!.*/, ''))
  }
  const { stdout, stderr } = spawnSync(luacheck, [...flags, '.'], { cwd: folder, encoding: 'utf8' })
  assert.equal(stderr, '')
  const lines = stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => {
    const [, script = '', at, code = '', said = ''] =
      /^(?:\.\/)?(.+)\.lua:(\d+):\d+: \((\w+)\) (.*)$/.exec(line) ?? []
    assert.ok(code !== '', line)
    return { script, line: Number(at), code, said }
  })
}

/** All scripts; those that are compiled, of a declaration with each kind of operator. */
function scriptTexts(): Record<string, string> {
  const visits = stream('visits', { guest: text(), room: integer(), stars: integer() })
  const fields = {
    ...{ visits: count(), stars: sum('stars'), mean: average('stars', 'visits') },
    ...{ most: max('stars'), least: min('stars'), last: latest('room'), first: first('room') },
  }
  const rankings = { stars: 'ranking:stars' }
  const guests = projection('guests:{guest}', fields, { rankings })
  const plans = plansOf([guests, projection('rooms:{room}', { visits: count() })], visits)
  const names = readdirSync(lua).flatMap((file) => /^(.+)\.lua$/.exec(file)?.[1] ?? [])
  const compiled = { plans: compilePlans(plans) }
  return Object.fromEntries(
    names.map((name) => {
      const made = name === 'push-down' ? compilePushDown(visits, plans) : compiled
      return [name, script(name, made).text]
    }),
  )
}

const withoutIncludes = (file: string): string =>
  readFileSync(join(lua, file), 'utf8').replaceAll(/^(?:-- @include|#!).*\n/gm, '')
const files = readdirSync(lua, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.lua'),
)

/** The file in which a line of a script stands, and the line there without those that include; undefined where it was compiled. */
function placeOf(source: string, line: number): { file: string; line: number } | undefined {
  for (const file of files) {
    const text = withoutIncludes(file)
    const at = source.indexOf(text)
    if (at < 0) continue
    const before = source.slice(0, at).split('\n').length - 1
    if (line > before && line < before + text.split('\n').length)
      return { file, line: line - before }
  }
  return undefined
}

test('all Lua that is sent passes luacheck', { skip }, (t) => {
  const texts = scriptTexts()
  const told = warningsOf(t, texts).map(({ script, line, code, said }) => {
    const { file = `compiled for ${script}`, line: at = line } =
      placeOf(texts[script] ?? '', line) ?? {}
    return { script, code, file, shown: `${file}:${at}: (${code}) ${said}` }
  })
  const scriptsWith = (file: string): number =>
    Object.values(texts).filter((text) => text.includes(withoutIncludes(file))).length
  const faults = told.filter(({ shown, code, file }) => {
    if (code !== unused) return true
    // What is compiled names what some declaration needs.
    if (!files.includes(file)) return false
    const where = new Set(told.filter((one) => one.shown === shown).map(({ script }) => script))
    return where.size === scriptsWith(file)
  })
  assert.deepEqual([...new Set(faults.map(({ shown }) => shown))], [])
})

test('luacheck finds a name that nobody defines, and a value that nobody reads', { skip }, (t) => {
  const codes = (source: string): string[] => warningsOf(t, { a: source }).map(({ code }) => code)
  assert.deepEqual(codes("return redis.call('GET', KEYS[1])\n"), [])
  assert.deepEqual(codes('return nobody(KEYS[1])\n'), ['W113'])
  assert.deepEqual(codes('is_global = 1\nreturn 1\n'), ['W111'])
  assert.deepEqual(codes('local a = 1\nreturn 1\n'), [unused])
})
