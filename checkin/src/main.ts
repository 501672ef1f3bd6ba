/**
 * The front door of the service: `main.ts COMMAND ...`, as the npm scripts of the root and `npx checkin` call it. Signals are heard
 * before anything else is loaded, which takes some hundred milliseconds; so there is nothing more in here.
 */
import { endWithParent } from './start/parent.ts'
import { endEarly } from 'millrace-ops/stop'

/** Commands that work until they are stopped. */
const endless = new Set([
  'start',
  'redis',
  'receiver',
  'checkinreceiver',
  'processor',
  'checkinprocessor',
  'group-processor',
  'checkingroupprocessor',
  'generator',
  'checkingenerator',
])

if (endless.has(process.argv[2] ?? '')) endEarly()
endWithParent()
const { run } = await import('./cli/run.ts')
process.exitCode = await run(process.argv.slice(2))
