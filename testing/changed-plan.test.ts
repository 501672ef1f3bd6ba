/** What `npm test -- --changed` runs: in a small checkout of its own, by git itself. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { changedPlan } from './changed-plan.ts'
import { checkoutOf, withoutGit } from './checkouts.ts'
import { thisCheckout } from './processes.ts'
import { testsReached, withinSeconds } from './reached-tests.ts'
import { inOrder, secondsOf, slowTests } from './test-seconds.ts'

const imports = (...names: string[]): string => names.map((name) => `import '${name}'\n`).join('')

const table = `| script | guard | test file | title |
| ------ | ----- | --------- | ----- |
| \`lua/claim.lua\` | alive | \`engine/test/owners.test.ts\` | lives |
| \`lua/trim.lua\`  | alive | \`engine/test/other.test.ts\`  | lives |
`

/** A small engine: \`claimer.ts\` sends \`claim.lua\`, which includes a part, and the index offers it. */
const engine = {
  'docs/guards.md': table,
  'engine/lua/claim.lua': '-- @include parts/ledger\nreturn 1',
  'engine/lua/parts/ledger.lua': 'local ledger',
  'engine/lua/trim.lua': 'return 1',
  'engine/src/index.ts': "export * from './claimer.ts'\n",
  'engine/src/claimer.ts': "send(script('claim'))\n",
  'engine/src/types.ts': 'export type T = 1\n',
  'engine/src/alone.ts': "import type { T } from './types.ts'\n",
  'engine/test/owners.test.ts': '',
  'engine/test/guards-claim.test.ts': '',
  'engine/test/claims.test.ts': '',
  'engine/test/sweeps.test.ts': imports('../src/claimer.ts'),
  'engine/test/other.test.ts': imports('../src/types.ts'),
  'checkin/test/far.test.ts': imports('./stage.ts'),
  'checkin/test/stage.ts': imports('millrace', '../src/main.ts'),
  'checkin/test/claim.test.ts': '',
  'checkin/test/typed.test.ts': "import type { T } from '../../engine/src/types.ts'\n",
  'checkin/src/main.ts': "const { trim } = await import('./trim.ts')\n",
  'checkin/src/trim.ts': '',
  'testing/programs.ts': "start('checkin/src/main.ts')\n",
  'testing/programs.test.ts': imports('./programs.ts'),
  'testing/documents.test.ts': "read(new URL('../docs/guards.md', import.meta.url))\n",
}
const tests = Object.keys(engine).filter((file) => file.endsWith('.test.ts'))

test(
  'a script is tested by its rows of guards and by what has its name, then by who sends it',
  { skip: withoutGit },
  (t) => {
    const { root } = checkoutOf(t, engine)
    assert.deepEqual(testsReached(root, ['engine/lua/claim.lua'], tests), {
      changed: [],
      others: [
        'engine/test/guards-claim.test.ts',
        'engine/test/owners.test.ts',
        'engine/test/sweeps.test.ts',
        'checkin/test/far.test.ts',
      ],
    })
    const ofPart = testsReached(root, ['engine/lua/parts/ledger.lua'], tests).others
    assert.deepEqual(ofPart, ['engine/test/sweeps.test.ts', 'checkin/test/far.test.ts'])
  },
)

test(
  'imports, lazy ones and programs that are started reach a module; types alone do not',
  { skip: withoutGit },
  (t) => {
    const { root } = checkoutOf(t, engine)
    const reached = (...changed: string[]) => testsReached(root, changed, tests).others
    assert.deepEqual(reached('engine/src/types.ts'), ['engine/test/other.test.ts'])
    assert.deepEqual(reached('checkin/src/trim.ts'), [
      'checkin/test/far.test.ts',
      'testing/programs.test.ts',
    ])
    assert.deepEqual(reached('docs/guards.md'), ['testing/documents.test.ts'])
    assert.deepEqual(reached('README.md'), [])
  },
)

test('a module that is gone reaches those that import it still', { skip: withoutGit }, (t) => {
  const { root } = checkoutOf(t, engine)
  rmSync(join(root, 'engine/src/claimer.ts'))
  assert.deepEqual(testsReached(root, ['engine/src/claimer.ts'], tests).others, [
    'engine/test/sweeps.test.ts',
    'checkin/test/far.test.ts',
  ])
})

test(
  'what was measured to reach a file comes first among equals, and is not needed',
  { skip: withoutGit },
  (t) => {
    const checkout = checkoutOf(t, {
      'engine/src/a.ts': '',
      'engine/test/one.test.ts': imports('../src/a.ts'),
      'engine/test/two.test.ts': imports('../src/a.ts'),
      'engine/test/unseen.test.ts': '',
    })
    const all = ['one', 'two', 'unseen'].map((name) => `engine/test/${name}.test.ts`)
    const reached = () => testsReached(checkout.root, ['engine/src/a.ts'], all).others
    assert.deepEqual(reached(), ['engine/test/one.test.ts', 'engine/test/two.test.ts'])
    const seen = { coverage: { 'engine/src/a.ts': {} }, scripts: [] }
    const measured = { 'engine/test/two.test.ts': seen, 'engine/test/unseen.test.ts': seen }
    checkout.write('.cache/mutants/reach.json', JSON.stringify(measured))
    assert.deepEqual(reached(), [
      'engine/test/two.test.ts',
      'engine/test/one.test.ts',
      'engine/test/unseen.test.ts',
    ])
  },
)

test(
  'a plan runs changed tests and what fits into a minute, and counts the rest',
  { skip: withoutGit },
  (t) => {
    const many = Array.from({ length: 60 }, (_, at) => `engine/test/m${at}.test.ts`)
    const checkout = checkoutOf(t, {
      'engine/src/a.ts': '',
      ...Object.fromEntries(many.map((file) => [file, imports('../src/a.ts')])),
    })
    const { root } = checkout
    assert.deepEqual(changedPlan(root, many), {
      files: [],
      says: ['Nothing has changed since HEAD. The last commit: npm test -- --changed HEAD~1'],
    })
    checkout.write('README.md')
    assert.deepEqual(changedPlan(root, many), {
      files: [],
      says: ['Changed since HEAD: README.md. No test file reaches that'],
    })
    checkout.write('engine/src/a.ts')
    checkout.write('engine/test/m59.test.ts', imports('../src/a.ts'))
    assert.equal(changedPlan(root, many).files.length, 30, 'the test file is not changed')
    checkout.write('engine/test/m59.test.ts', `${imports('../src/a.ts')}// changed\n`)
    const { files, says } = changedPlan(root, many)
    assert.equal(files[0], 'engine/test/m59.test.ts')
    assert.equal(files.length, 30)
    assert.deepEqual(says.slice(1), [
      'Test files that run for it, on one kind of server: 30',
      'Test files that reach it farther off: 30. All run by: npm test',
    ])
  },
)

test('a time limit leaves out what is too long for it, and takes what is shorter behind it', () => {
  const [longest = ''] = inOrder(Object.keys(slowTests))
  const takes = secondsOf(longest)
  assert.ok(takes > 10, 'some test file is slow')
  assert.deepEqual(withinSeconds(['a', longest, 'b', 'c'], 6), ['a', 'b'])
  assert.deepEqual(withinSeconds(['a', longest, 'b', 'c'], takes + 6), ['a', longest, 'b'])
})

test('a run begins with the slowest test, spreads the others between the slow ones, and leaves out none', () => {
  const [slowest = '', second = '', third = ''] = inOrder(Object.keys(slowTests))
  assert.ok(secondsOf(slowest) >= secondsOf(second) && secondsOf(second) >= secondsOf(third))
  const others = Array.from({ length: 90 }, (_, at) => `m${at}`)
  const order = inOrder([...others, third, second, slowest])
  const places = [slowest, second, third].map((test) => order.indexOf(test))
  assert.equal(places[0], 0)
  assert.ok(places[1]! > 20 && places[2]! > places[1]! + 20 && places[2]! < 80, String(places))
  assert.deepEqual(new Set(order), new Set([...others, slowest, second, third]))
  assert.equal(order.length, 93)
  assert.deepEqual(inOrder(others), others)
})

test('every test file whose time is known is there', () => {
  const gone = Object.keys(slowTests).filter((file) => !existsSync(join(thisCheckout, file)))
  assert.deepEqual(gone, [])
})

const npmTest = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, ['--import', 'tsx', 'scripts/test.mjs', ...args], {
    cwd: thisCheckout,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })

test('npm test takes the argument behind --changed for a commit', { skip: withoutGit }, () => {
  for (const args of [['--changed', 'no-such-commit'], ['--changed=no-such-commit']]) {
    const { status, stderr } = npmTest(args)
    assert.equal(status, 2)
    assert.match(stderr, /Cannot run the tests: git knows no commit "no-such-commit"/)
  }
})

test('npm test --changed, which npm swallows, is refused with the line to type', () => {
  const swallowed = { npm_lifecycle_event: 'test', npm_config_changed: 'true' }
  const { status, stderr } = npmTest([], swallowed)
  assert.equal(status, 2)
  assert.match(stderr, /npm took --changed for itself.*: npm test -- --changed\n/)
})
