/** Commands in texts stand as whoever reads them can type them. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { thisCheckout } from '../../../testing/processes.ts'
import { typed, typedProcessor } from '../../src/terminal/typed.ts'

test('a command is typed with npm, or with npx where npx called us', () => {
  const npx = { npm_command: 'exec' }
  const cases: [line: string, npm: string, npx: string][] = [
    ['recover', 'npx checkin recover', 'npx checkin recover'],
    ['recover --execute', 'npx checkin recover --execute', 'npx checkin recover --execute'],
    ['groups create', 'npx checkin groups create', 'npx checkin groups create'],
    ['start', 'npm start', 'npx checkin start'],
  ]
  for (const [line, byNpm, byNpx] of cases) {
    assert.deepEqual([typed(line, {}), typed(line, npx)], [byNpm, byNpx])
  }
  assert.equal(typedProcessor({}), 'npm run checkingroupprocessor NAME -- --work none')
  assert.equal(typedProcessor(npx), 'npx checkin group-processor NAME')
})

test('no other text of the service names an npm script', () => {
  // How the command itself was called; what is said of npm; what only npm has.
  const others = [
    'checkin/src/terminal/typed.ts',
    'checkin/src/cli/run.ts',
    'checkin/src/cli/api-keys.ts',
    'ops/src/command/called-by.ts',
    'ops/src/command/swallowed-flags.ts',
  ]
  const found = ['checkin/src', 'ops/src']
    .flatMap((folder) =>
      readdirSync(join(thisCheckout, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(folder, file),
      ),
    )
    .filter((file) => file.endsWith('.ts') && !others.includes(file))
    .flatMap((file) => readFileSync(join(thisCheckout, file), 'utf8').split('\n'))
    .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line))
    .filter((line) => /npm (?:run|start)/.test(line) && !/npm run (?:setup|build)/.test(line))
  assert.deepEqual(found, [])
})
