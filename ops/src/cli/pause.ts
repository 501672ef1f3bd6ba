import { Argument, Command } from 'commander'
import { MillraceError } from 'millrace'
import type { Paused } from 'millrace/operate'
import { consumerName } from '../command/arguments.ts'
import { CommandError } from '../command/errors.ts'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
import { pauseOutcome, resumeOutcome } from '../groups/pausing.ts'
import type { Service } from '../service.ts'
import { printable } from '../terminal/words.ts'
import { print } from './output.ts'

export interface PauseFlags extends PlaceFlags {
  readonly json?: boolean
  /** Also a consumer that the group has not got yet. */
  readonly future?: boolean
}

/** `pause [NAME]`: the group, or one consumer. */
export function command(service: Service): Command {
  return pauseCommand(service, 'pause')
}

/** @param action of the two commands that differ in it alone */
export function pauseCommand(service: Service, action: 'pause' | 'resume'): Command {
  const made = addPlace(
    new Command()
      .description(
        action === 'pause'
          ? 'Pauses the group, or one consumer: it reads and begins nothing, and keeps what it has.'
          : 'Ends the pause of the group, or of one consumer.',
      )
      .addArgument(
        new Argument('[consumer]', 'one consumer (default: the group)').argParser(consumerName),
      )
      .option('--json', 'print the result as JSON'),
    service,
  )
  if (action === 'pause') made.option('--future', futureText, false)
  return made.action((consumer: string | undefined, flags: PauseFlags) =>
    setPaused(service, action, consumer === undefined ? 'group' : { consumer }, flags),
  )
}

export const futureText = 'also a consumer that the group has not got yet: it halts when it starts'

/** Pauses or resumes, and prints what that means. */
export async function setPaused(
  service: Service,
  action: 'pause' | 'resume',
  who: Paused,
  flags: PauseFlags,
): Promise<void> {
  const work = async (place: Place): Promise<void> => {
    const { group, millrace } = place
    await group.describe()
    const { result, line } = await (action === 'pause'
      ? pause(place, who, flags)
      : resumeOutcome(millrace, group, who))
    const subject =
      who === 'group' ? { stream: group.stream.key, group: group.name } : { name: who.consumer }
    print(flags.json, { ...subject, ...result }, line)
  }
  await at(service, flags, work, { changes: true })
}

async function pause(
  { millrace, group, words }: Place,
  who: Paused,
  { future = false }: PauseFlags,
): ReturnType<typeof pauseOutcome> {
  try {
    return await pauseOutcome(millrace, group, who, who === 'group' ? {} : { future })
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'NO_CONSUMER' || who === 'group')
      throw error
    const names = (await group.describe()).consumers.map(({ name }) => printable(name)).join(', ')
    throw new CommandError(
      `Cannot pause consumer "${who.consumer}": group ${group.name} has ${names === '' ? 'no consumers' : `only ${names}`}. ` +
        `With --future a ${words.worker[0]} of that name halts when it starts`,
      { cause: error },
    )
  }
}
