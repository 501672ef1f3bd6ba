/** What helps, in terms of our commands: the engine's failures are told with these instead of its own remedies. */
import { MillraceError, type MillraceErrorCode } from 'millrace'
import { typed } from '../terminal/typed.ts'

/** Says how to create what is missing. */
export const creationRemedy = `If it was there before: "${typed('recover')}". If it is new: "${typed('groups create')}", or "${typed('load')}" for sample data`

const remedies: Partial<Record<MillraceErrorCode, string>> = {
  NO_STREAM: creationRemedy,
  NO_GROUP: `If it was there before and was lost: "${typed('recover')}". If it is new: "${typed('groups create')}"`,
  GROUP_MOVED: `Stop all processors, then "${typed('recover')}"`,
  GROUP_LOST: `Look at what can be recovered with "${typed('recover')}"`,
}

/** An error of the engine with our remedy, where we have one; any other as it is. */
export function withRemedy(error: unknown): unknown {
  const remedy = error instanceof MillraceError ? remedies[error.code] : undefined
  if (remedy === undefined) return error
  return (error as MillraceError).withRemedy(remedy)
}
