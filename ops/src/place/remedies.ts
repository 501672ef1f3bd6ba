/** What helps, in terms of our commands: the engine's failures are told with these instead of its own remedies. */
import { MillraceError, type MillraceErrorCode } from 'millrace'
import { isName } from 'millrace/operate'
import type { Words } from '../service.ts'
import type { Typed } from './typed.ts'

interface Told {
  readonly words: Words
  readonly typed: Typed
  /** Undefined where nobody named one: then nothing can be known of what it had done. */
  readonly groupName: string | undefined
}

/** Says how to create what is missing. */
export const creationRemedy = ({ typed, words, groupName }: Told): string =>
  groupName === undefined
    ? `Create it with "${typed('groups create')} --group <name>"${words.orSampleData}`
    : `If it was there before: "${typed('recover')}". If it is new: "${typed('groups create')}"${words.orSampleData}`

const remedies: Partial<Record<MillraceErrorCode, (told: Told) => string>> = {
  NO_STREAM: creationRemedy,
  NO_GROUP: ({ typed, groupName }) =>
    groupName !== undefined && !isName(groupName)
      ? `See which there are: "${typed('groups')}"`
      : `If it was there before and was lost: "${typed('recover')}". If it is new: "${typed('groups create')}"`,
  GROUP_MOVED: ({ typed, words }) => `Stop all ${words.worker[1]}, then "${typed('recover')}"`,
  GROUP_LOST: ({ typed }) => `Look at what can be recovered with "${typed('recover')}"`,
}

/** An error of the engine with our remedy, where we have one; any other as it is. */
export function withRemedy(error: unknown, told: Told): unknown {
  if (!(error instanceof MillraceError)) return error
  const remedy = remedies[error.code]?.(told)
  return remedy === undefined ? error : error.withRemedy(remedy)
}
