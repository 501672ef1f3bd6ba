/** What is known about the group, its stream and who else reads it. */
import {
  groupKeys,
  readerKeys,
  MillraceError,
  type Balance,
  type Group,
  type Millrace,
  type Pauses,
  type RecoveryPlan,
  type RosterEntry,
} from 'millrace'
import { describeAll } from '../domain/all-groups.ts'
import type { CheckinModel } from '../domain/checkins.ts'
import { lookTwice, type Flow } from './flow.ts'

export interface GroupFacts {
  readonly stream: string
  readonly group: string
  readonly hasStream: boolean
  readonly plan: RecoveryPlan
  /** Undefined without a group. */
  readonly balance: Balance | undefined
  /** Undefined without a group. */
  readonly flow: Flow | undefined
  readonly roster: readonly RosterEntry[]
  readonly pauses: Pauses
  /** Others that have applied check-ins of this stream: groups, and the single processor. */
  readonly otherReadings: readonly OtherReading[]
}

interface OtherReading {
  readonly name: string
  readonly kind: 'group' | 'single processor'
  readonly applied: number
}

/** Somebody lives and is not paused. */
export function isWorkedOn({ roster, pauses }: Pick<GroupFacts, 'roster' | 'pauses'>): boolean {
  return pauses.group === null && roster.some((one) => one.state === 'alive' && !one.isPaused)
}

type CheckinGroup = Group<CheckinModel['checkins']['fields']>

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
  const [roster = [], pauses, hasStream] = await Promise.all([
    unlessMissing(group.roster()),
    group.pauses(),
    millrace.send('EXISTS', key),
  ])
  const works = isWorkedOn({ roster, pauses })
  const looks = await unlessMissing(lookTwice(() => group.balance(), { everyMs, works }))
  return {
    stream: key,
    group: name,
    hasStream: hasStream === 1,
    plan,
    balance: looks?.balance,
    flow: looks?.flow,
    roster,
    pauses,
    otherReadings: hasStream === 1 ? await otherReadings(millrace, model, group) : [],
  }
}

async function otherReadings(
  millrace: Millrace,
  model: CheckinModel,
  group: CheckinGroup,
): Promise<OtherReading[]> {
  const { key } = model.checkins
  const { described } = await describeAll(millrace, model.checkins)
  const names = described.map(({ name }) => name).filter((name) => name !== group.name)
  const candidates = [
    ...names.map((name) => ({ name, kind: 'group' as const, keys: groupKeys(key, name) })),
    ...[model.readerName].map((name) => {
      return { name, kind: 'single processor' as const, keys: readerKeys(key, name) }
    }),
  ]
  const read = await Promise.all(
    candidates.map(async ({ name, kind, keys }) => {
      const applied = await millrace.send('HGET', keys.ledger, 'applied')
      return { name, kind, applied: Number(applied ?? 0) }
    }),
  )
  return read.filter(({ applied }) => applied > 0)
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
