/** What is known about the group, its stream and who else reads it. */
import {
  groupKeys,
  MillraceError,
  type Balance,
  type Group,
  type Millrace,
  type RecoveryPlan,
  type RosterEntry,
} from 'millrace'
import { describeAll } from '../domain/all-groups.ts'
import type { CheckinModel } from '../domain/checkins.ts'

export interface GroupFacts {
  readonly stream: string
  readonly group: string
  readonly ledgerKey: string
  readonly hasStream: boolean
  readonly plan: RecoveryPlan
  /** Undefined without a group. */
  readonly balance: Balance | undefined
  readonly roster: readonly RosterEntry[]
  readonly isPaused: boolean
  /** Others that have applied check-ins of this stream: groups, and the single processor. */
  readonly otherReadings: readonly OtherReading[]
}

interface OtherReading {
  readonly name: string
  readonly kind: 'group' | 'single processor'
  readonly applied: number
}

type CheckinGroup = Group<CheckinModel['checkins']['fields']>

/** @throws {MillraceError} WRONG_TYPE when a key of ours holds something else, and those of the connection. */
export async function readGroup(
  millrace: Millrace,
  model: CheckinModel,
  name: string,
): Promise<GroupFacts> {
  const group = millrace.group(model.checkins, name)
  const plan = await group.recovery()
  const { key } = model.checkins
  const [balance, roster, isPaused, hasStream] = await Promise.all([
    unlessMissing(group.balance()),
    unlessMissing(group.roster()),
    group.isPaused(),
    millrace.send('EXISTS', key),
  ])
  return {
    stream: key,
    group: name,
    ledgerKey: groupKeys(key, name).ledger,
    hasStream: hasStream === 1,
    plan,
    balance,
    roster: roster ?? [],
    isPaused,
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
    ...names.map((name) => ({ name, kind: 'group' as const })),
    { name: model.readerName, kind: 'single processor' as const },
  ]
  const read = await Promise.all(
    candidates.map(async (candidate) => {
      const applied = await millrace.send('HGET', groupKeys(key, candidate.name).ledger, 'applied')
      return { ...candidate, applied: Number(applied ?? 0) }
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
