/**
 * The front door of the service: `main.ts COMMAND ...`, as the npm scripts of the root and `npx checkin` call it. Signals are heard
 * before anything else is loaded, which takes some hundred milliseconds; so there is nothing more in here.
 */
import { endEarly } from './early-end.ts'
import { endWithParent } from './start/end-with-parent.ts'

endEarly(process.argv[2])
endWithParent()
const { run } = await import('./cli/run.ts')
process.exitCode = await run(process.argv.slice(2))
