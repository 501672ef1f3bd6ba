/** Scripts are put together of files that say what they include. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import luaparse, { type Node } from 'luaparse'
import { compilePushDown } from '../../src/apply/compile-push-down.ts'
import { compilePlans } from '../../src/apply/compile-plan.ts'
import { plansOf } from '../../src/declare/plan.ts'
import { visitModel } from '../stage/fixture.ts'
import { composed, script } from '../stage/script-calls.ts'

const lua = new URL('../../lua/', import.meta.url)
const namesIn = (folder: string): string[] =>
  readdirSync(new URL(folder, lua))
    .filter((file) => file.endsWith('.lua'))
    .map((file) => folder + file.replace(/\.lua$/, ''))
const parts = namesIn('parts/')
const names = namesIn('')

// What Redis and Lua 5.1 offer, as far as it is used.
const offered = new Set(
  'redis cjson cmsgpack KEYS ARGV string table math tonumber tostring type pairs ipairs unpack error pcall'.split(
    ' ',
  ),
)
// What is compiled from a declaration defines these.
const compiled: Readonly<Record<string, readonly string[]>> = {
  'compiled/fold': ['decode', 'keys_of', 'begin_fold', 'fold', 'rows_of'],
  'compiled/plans': ['projections'],
  'compiled/constants': ['may_meet', 'refusal_texts'],
}

const textOf = (name: string): string => readFileSync(new URL(`${name}.lua`, lua), 'utf8')
const parsed = (text: string): Node =>
  luaparse.parse(text.replace(/^#!.*/, ''), {
    luaVersion: '5.1',
    ranges: true,
    comments: false,
    scope: true,
  })
const nameOf = (node: unknown): string => String((node as Node).name)

/** The names that a text uses, and neither defines nor Redis offers. */
function foreignIn(text: string): string[] {
  const globals = parsed(text).globals as readonly Node[]
  return [...new Set(globals.map(nameOf))].filter((name) => !offered.has(name))
}

/** The names that a part defines for those that include it. */
function definedIn(text: string): string[] {
  const body = parsed(text).body as readonly Node[]
  return body.flatMap((node) => {
    if (node.type === 'LocalStatement') return (node.variables as unknown[]).map(nameOf)
    return node.type === 'FunctionDeclaration' ? [nameOf(node.identifier)] : []
  })
}

const includesOf = (text: string): string[] =>
  [...text.matchAll(/^-- @include (\S+)$/gm)].map(([, name = '']) => name)

test('each script and each part includes itself what it uses', () => {
  assert.ok(parts.length > 0 && names.length > 0)
  for (const name of [...names, ...parts]) {
    const included = includesOf(textOf(name))
    const there = included.flatMap((other) => compiled[other] ?? definedIn(textOf(other)))
    const missing = foreignIn(textOf(name)).filter((used) => !there.includes(used))
    assert.deepEqual(missing, [], `${name} uses names of parts that it does not include`)
  }
})

test('each part is included by some script', () => {
  const included = new Set([...names, ...parts].flatMap((name) => includesOf(textOf(name))))
  assert.deepEqual(
    parts.filter((name) => !included.has(name)),
    [],
  )
})

test('a script stands behind all that it uses, each part once, and keeps its first line', () => {
  const { visits, guests, rooms } = visitModel('p')
  const plans = plansOf([guests, rooms], visits)
  const made = { plans: compilePlans(plans) }
  const texts = names.map(
    (name) => script(name, name === 'push-down' ? compilePushDown(visits, plans) : made).text,
  )
  for (const text of texts) {
    assert.deepEqual(foreignIn(text), [])
    assert.match(text, /^#!lua(?: flags=(?:no-writes,)?allow-oom)?\n--/)
    assert.doesNotMatch(text, /@include/)
    assert.equal(text.split('local function is_before(').length, 2)
  }
})

test('a script that lacks what it includes is not made', () => {
  assert.throws(() => script('acknowledge-and-apply'), /"compiled\/plans" was not compiled/)
  assert.throws(() => composed('#!lua\n-- @include parts/none\nreturn 1'), /none\.lua/)
})
