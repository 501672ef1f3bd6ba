/** What is known about the group, its stream and who else reads it. */
import { MillraceError, type Group } from 'millrace'
import {
  isName,
  type Balance,
  type Pauses,
  type RecoveryPlan,
  type RosterEntry,
} from 'millrace/operate'
import { foreignBalance, noPlan } from '../groups/foreign-name.ts'
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
  const { millrace, words, typed } = place
  const { key } = place.stream
  const asked = asks(place)
  const plan = await asked.recovery()
  const look = async (): Promise<GroupSnapshot | undefined> => {
    const { groups } = await takeStream(millrace, key, { group: asked.name })
    return groups[0]
  }
  const [own, pauses, hasStream] = await Promise.all([
    unlessMissing(look()),
    asked.pauses(),
    millrace.send('EXISTS', key),
  ])
  const roster = own?.consumers ?? []
  const isForeign = own?.isManaged === false && (roster.length > 0 || !isName(asked.name))
  const works = isWorkedOn({ roster, pauses, isForeign })
  const looks = await unlessMissing(lookTwice(() => asked.balance(), { everyMs, works }))
  // What others do shows in how long ago they read, and the looks took a while.
  const atEnd = isForeign ? ((await unlessMissing(look()))?.consumers ?? []) : roster
  return {
    ...{ stream: key, group: asked.name, plan, roster: atEnd, pauses, words, typed },
    hasStream: hasStream === 1,
    isForeign,
    balance: looks?.balance,
    flow: looks?.flow,
  }
}

/** What is asked of the group: the engine, or where it can have no group of that name, the server alone. */
function asks({ millrace, stream: { key }, group, groupName = group.name }: Place): Asked {
  if (isName(groupName)) return group
  return {
    name: groupName,
    recovery: () => Promise.resolve(noPlan),
    pauses: () => Promise.resolve({ group: null, consumers: {} }),
    balance: () => foreignBalance(millrace, key, groupName),
  }
}

type Asked = Pick<Group, 'name' | 'recovery' | 'pauses' | 'balance'>

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
