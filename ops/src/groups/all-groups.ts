import { MillraceError, type Fields, type Millrace, type Stream } from 'millrace'
import type { GroupDescription } from 'millrace/operate'
import { groupNames } from '../place/find-streams.ts'

/** The groups of a stream. */
export interface AllGroups {
  readonly described: readonly GroupDescription[]
  /** Groups that others made, with names that no group of the engine can have. */
  readonly foreignNames: readonly string[]
}

/** Describes every group of a stream. @throws {MillraceError} NO_STREAM, WRONG_TYPE. */
export async function describeAll<F extends Fields>(
  millrace: Millrace,
  stream: Stream<F>,
): Promise<AllGroups> {
  const described: GroupDescription[] = []
  const foreignNames: string[] = []
  for (const name of await groupNames(millrace, stream.key)) {
    try {
      described.push(await millrace.group(stream, name).describe())
    } catch (error) {
      if (error instanceof RangeError) foreignNames.push(name)
      // A group that was removed between the two questions is none.
      else if (!(error instanceof MillraceError && error.code === 'NO_GROUP')) throw error
    }
  }
  return { described, foreignNames }
}
