import { MillraceError, type Group, type Millrace } from 'millrace'
import type { RecoveryPlan } from 'millrace/operate'
import type { CheckinModel } from '../domain/checkins.ts'
import { CommandError } from 'millrace-ops/command'
import type { ServiceChild } from './service-child.ts'
import { unless } from './unwind.ts'
import { typed } from '../terminal/typed.ts'

/**
 * True when there is no stream yet, so that sample data may be loaded.
 * @throws {CommandError} when the group was lost, or the stream is there without it: where it is to begin is the user's to decide.
 */
export async function isDataMissing(group: Group): Promise<boolean> {
  try {
    await group.describe()
    return false
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : undefined
    if (code !== 'NO_STREAM' && code !== 'NO_GROUP') throw error
    if (isLost(await group.recovery())) throw lost(group, error)
    if (code === 'NO_STREAM') return true
    throw new CommandError(
      `Cannot start the processors: stream "${group.stream.key}" has no group "${group.name}". ` +
        `Create it with "${typed('groups create')}", which lets it begin at the first check-in of the stream`,
      { cause: error },
    )
  }
}

/** Its ledger says that it was there before: loading sample data would remove what it has counted. */
const isLost = ({ condition }: RecoveryPlan): boolean => condition !== 'no-ledger'

function lost(group: Group, cause: unknown): CommandError {
  return new CommandError(
    `Cannot start the processors: group "${group.name}" of stream "${group.stream.key}" was there before and is lost. ` +
      `See what can be recovered with "${typed('recover')}"`,
    { cause },
  )
}

/** True when neither a ranking nor a position is there, as in data that a version without them has left. */
export async function areIndexesMissing(
  millrace: Pick<Millrace, 'send'>,
  { users, locations, geoKey }: CheckinModel,
): Promise<boolean> {
  const rankings = [users, locations].flatMap((projection) => Object.values(projection.rankings))
  return (await millrace.send('EXISTS', geoKey, ...rankings)) === 0
}

/** Waits for the end of a child that has a job to do. @throws {StopRequested}; {CommandError} when it has failed. */
export async function untilDone(child: ServiceChild, stop: AbortSignal): Promise<void> {
  try {
    await unless(stop, child.ended)
  } finally {
    await child.stop()
  }
  if (child.isDone) return
  throw new CommandError(`Cannot prepare the data: the ${child.name} ended with ${child.ending}`)
}
