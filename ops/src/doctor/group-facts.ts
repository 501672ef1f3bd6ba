/** What is known about the group, its stream and who else reads it. */
import { MillraceError } from 'millrace'
import type { Balance, Pauses, RecoveryPlan, RosterEntry } from 'millrace/operate'
import type { Place } from '../place/place.ts'
import type { Typed } from '../place/typed.ts'
import type { GroupSnapshot } from '../snapshot/snapshot.ts'
import { takeStream } from '../snapshot/take-snapshot.ts'
import type { Words } from '../service.ts'
import { lookTwice, type Flow } from './flow.ts'

export interface GroupFacts {
  readonly stream: string
  readonly group: string
  readonly hasStream: boolean
  readonly plan: RecoveryPlan
  /** Others work on it: it has consumers, and neither a ledger nor leases. Nobody knows who lives and what was processed. */
  readonly isForeign: boolean
  readonly words: Words
  readonly typed: Typed
  /** Undefined without a group. */
  readonly balance: Balance | undefined
  /** Undefined without a group. */
  readonly flow: Flow | undefined
  /** Where others work, as it was after the looks. */
  readonly roster: readonly RosterEntry[]
  readonly pauses: Pauses
}

/** Somebody lives and is not paused; where others work, perhaps. */
export function isWorkedOn(facts: Pick<GroupFacts, 'roster' | 'pauses' | 'isForeign'>): boolean {
  const { roster, pauses, isForeign } = facts
  if (isForeign) return true
  return pauses.group === null && roster.some((one) => one.state === 'alive' && !one.isPaused)
}

/**
 * Looks at the balance twice, `everyMs` apart.
 * @throws {MillraceError} WRONG_TYPE when a key of ours holds something else, and those of the connection.
 */
export async function readGroup(place: Place, everyMs: number): Promise<GroupFacts> {
  const { millrace, group, words, typed } = place
  const plan = await group.recovery()
  const { key } = group.stream
  const look = async (): Promise<GroupSnapshot | undefined> => {
    const { groups } = await takeStream(millrace, key, { group: group.name })
    return groups[0]
  }
  const [own, pauses, hasStream] = await Promise.all([
    unlessMissing(look()),
    group.pauses(),
    millrace.send('EXISTS', key),
  ])
  const roster = own?.consumers ?? []
  const isForeign = own?.isManaged === false && roster.length > 0
  const works = isWorkedOn({ roster, pauses, isForeign })
  const looks = await unlessMissing(lookTwice(() => group.balance(), { everyMs, works }))
  // What others do shows in how long ago they read, and the looks took a while.
  const atEnd = isForeign ? ((await unlessMissing(look()))?.consumers ?? []) : roster
  return {
    ...{ stream: key, group: group.name, plan, roster: atEnd, pauses, words, typed },
    hasStream: hasStream === 1,
    isForeign,
    balance: looks?.balance,
    flow: looks?.flow,
  }
}

/** Undefined when there is no such stream or group. */
async function unlessMissing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : undefined
    if (code === 'NO_GROUP' || code === 'NO_STREAM') return undefined
    throw error
  }
}
