/** What is known about the group, its stream and who else reads it. */
import {
  MillraceError,
  type Balance,
  type Millrace,
  type Pauses,
  type RecoveryPlan,
  type RosterEntry,
} from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { otherReadings, type CountedReading } from '../domain/readings.ts'
import { lookTwice, type Flow } from './flow.ts'

export interface GroupFacts {
  readonly stream: string
  readonly group: string
  readonly hasStream: boolean
  readonly plan: RecoveryPlan
  /** By whose projections its hashes were folded: those of this version, or others. */
  readonly foldedBy: 'these' | 'others' | 'unknown'
  /** Undefined without a group. */
  readonly balance: Balance | undefined
  /** Undefined without a group. */
  readonly flow: Flow | undefined
  readonly roster: readonly RosterEntry[]
  readonly pauses: Pauses
  /** Others that have applied check-ins of this stream: groups, and the single processor. */
  readonly otherReadings: readonly CountedReading[]
}

/** Somebody lives and is not paused. */
export function isWorkedOn({ roster, pauses }: Pick<GroupFacts, 'roster' | 'pauses'>): boolean {
  return pauses.group === null && roster.some((one) => one.state === 'alive' && !one.isPaused)
}

/**
 * Looks at the balance twice, `everyMs` apart.
 * @throws {MillraceError} WRONG_TYPE when a key of ours holds something else, and those of the connection.
 */
export async function readGroup(
  millrace: Millrace,
  model: CheckinModel,
  name: string,
  everyMs: number,
): Promise<GroupFacts> {
  const group = millrace.group(model.checkins, name)
  const plan = await group.recovery()
  const { key } = model.checkins
  const [roster = [], pauses, foldedBy, hasStream] = await Promise.all([
    unlessMissing(group.roster()),
    group.pauses(),
    group.foldedBy([model.users, model.locations]),
    millrace.send('EXISTS', key),
  ])
  const works = isWorkedOn({ roster, pauses })
  const looks = await unlessMissing(lookTwice(() => group.balance(), { everyMs, works }))
  return {
    stream: key,
    group: name,
    hasStream: hasStream === 1,
    plan,
    foldedBy,
    balance: looks?.balance,
    flow: looks?.flow,
    roster,
    pauses,
    otherReadings:
      hasStream === 1 ? await otherReadings(millrace, model, { kind: 'group', name }) : [],
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
