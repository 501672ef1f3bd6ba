import { Command } from 'commander'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
import { isOurs, tellFailure } from '../command/tell-failure.ts'
import { diagnose } from '../doctor/doctor.ts'
import { asText, exitCodeOf } from '../doctor/report.ts'
import type { Service } from '../service.ts'
import { isColour } from '../terminal/words.ts'
import { print } from './output.ts'

interface Flags extends PlaceFlags {
  readonly json: boolean
}

/** Exit code: it could not look, so nothing is known to be right or wrong. The others are verdicts. */
const unseen = 3

/** `doctor`: what is wrong with server, stream and group, why it matters, and what helps. */
export function command(service: Service): Command {
  return addPlace(
    new Command()
      .description(
        'Examines server, stream and group. Exit code 0: nothing is wrong, 1: warnings, 2: problems, 3: it could not look.',
      )
      .option('--json', 'print it as JSON', false),
    service,
  ).action(async (flags: Flags) => {
    process.exitCode = await examine(service, flags)
  })
}

/** @returns the exit code. */
async function examine(service: Service, flags: Flags): Promise<number> {
  let exitCode = 0
  try {
    const work = async (place: Place): Promise<void> => {
      const diagnosis = await diagnose(place)
      print(flags.json, diagnosis, asText(diagnosis, { isColour: isColour() }))
      exitCode = exitCodeOf(diagnosis.findings)
    }
    await at(service, flags, work, { anyName: true })
    return exitCode
  } catch (error) {
    if (!isOurs(error)) throw error
    tellFailure(error, flags.json ? ['--json'] : [])
    return unseen
  }
}
