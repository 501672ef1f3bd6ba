import { Command } from 'commander'
import { diagnose } from '../doctor/doctor.ts'
import { asText, exitCodeOf } from '../doctor/report.ts'
import { isColour } from '../terminal/words.ts'
import type { Wiring } from '../wiring.ts'
import { isOurs, tellFailure } from './tell-failure.ts'

/** `npm run doctor`: what is wrong with server, stream and group, why it matters, and what helps. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description(
      'Examines server, stream and group. Exit code 0: nothing is wrong, 1: warnings, 2: problems, or it could not look.',
    )
    .option('--json', 'print it as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      process.exitCode = await examine(wiring, json)
    })
}

/** @returns the exit code. */
async function examine(wiring: Wiring, json: boolean): Promise<number> {
  try {
    const millrace = await wiring.connect()
    try {
      const diagnosis = await diagnose(millrace, wiring.model, wiring.config.group)
      const text = json ? JSON.stringify(diagnosis) : asText(diagnosis, { isColour: isColour() })
      process.stdout.write(`${text}\n`)
      return exitCodeOf(diagnosis.findings)
    } finally {
      await millrace.close()
    }
  } catch (error) {
    if (!isOurs(error)) throw error
    tellFailure(error, json ? ['--json'] : [])
    // Code 1 would say that only warnings were found.
    return 2
  }
}
