/**
 * Pauses of a group or of one consumer: marks beside the leases, which each consumer sees at its next sweep; who made them
 * stands beside the holders. A paused consumer keeps its lease and its entries; it reads, claims and begins nothing.
 */
import { hostname, userInfo } from 'node:os'
import { MillraceError } from '../support/errors.ts'
import { checkName, pauseMark, type GroupKeys } from '../redis/keys.ts'
import {
  anObject,
  checkOptions,
  checkValue,
  flag,
  required,
  text,
  type Rule,
  type Rules,
} from '../support/option-values.ts'
import { thisProcess } from '../support/process-identity.ts'
import type { Connection } from '../redis/connection.ts'
import { asList } from '../redis/replies.ts'
import * as scripts from '../scripts/group.ts'

/** Whom a pause concerns: a consumer by its name, or the group as a whole. */
export type Paused = { readonly consumer: string } | 'group'

/** Who made a pause. */
export interface PausedBy {
  /** Name of the system's user; empty where the system does not tell. */
  readonly user: string
  readonly host: string
  readonly pid: number
}

/** A pause that lasts. */
export interface Pause {
  /** Since when, in milliseconds of the server's clock. */
  readonly since: number
  /** Null when it was made by a version that did not note it. */
  readonly by: PausedBy | null
}

/** All pauses of a group. */
export interface Pauses {
  /** Of the group as a whole. */
  readonly group: Pause | null
  /** By name of the consumer, which need not exist. */
  readonly consumers: Readonly<Record<string, Pause>>
}

export interface PauseOptions {
  /** Pauses also a consumer that the group has not got; default false. It halts when it starts. */
  readonly future?: boolean
}

export interface PauseOutcome {
  /** False: it was paused already, and that pause stays. */
  readonly changed: boolean
  readonly pause: Pause
}

const pauseOptions: Rules<PauseOptions> = { future: flag }
const pausedOne: Rules<Exclude<Paused, 'group'>> = { consumer: required(text) }
const pausable: Rule = { ...anObject, allowed: `'group', or { consumer: its name }` }

/** @throws {TypeError} or {RangeError} naming what cannot be paused, or the option that cannot be used. */
export function checkPause(group: string, who: Paused, options: PauseOptions = {}): void {
  if (who !== 'group') {
    const action = `pause or resume in group "${group}"`
    checkValue(action, 'who', who, pausable)
    checkOptions(action, who, pausedOne)
    checkName('consumer', who.consumer)
  }
  checkOptions(`pause group "${group}" or its consumers`, options, pauseOptions)
}

/** @throws {MillraceError} NO_CONSUMER when there is none of that name; WRONG_TYPE, and those of the connection. */
export async function pause(
  connection: Connection,
  keys: GroupKeys,
  { group, who, future = false }: PauseOptions & { readonly group: string; readonly who: Paused },
): Promise<PauseOutcome> {
  const by = JSON.stringify({ user: userName(), host: hostname(), ...thisProcess() })
  const consumer = nameOf(who)
  const answer = await scripts.pause(connection, keys, { group, consumer, by, future })
  if (answer.kind !== 'missing') {
    const { kind, since } = answer
    return { changed: kind === 'paused', pause: { since, by: makerOf(answer.by) } }
  }
  throw new MillraceError('NO_CONSUMER', {
    action: `Cannot pause consumer "${consumer}" of group "${group}"`,
    state: 'the group has no consumer of that name',
    remedy: 'With the option future one that comes later is paused',
  })
}

/** @returns false when it was not paused. @throws {MillraceError} WRONG_TYPE, and those of the connection. */
export async function resume(
  connection: Connection,
  keys: GroupKeys,
  { group, who }: { readonly group: string; readonly who: Paused },
): Promise<boolean> {
  return await scripts.resume(connection, keys, { group, consumer: nameOf(who) })
}

/** Whether a consumer is paused, itself or with its group; or the group. @throws {MillraceError} WRONG_TYPE. */
export async function isPaused(
  connection: Connection,
  keys: GroupKeys,
  who: Paused,
): Promise<boolean> {
  const marks = [pauseMark(''), pauseMark(nameOf(who))]
  const since = asList(await connection.send(['ZMSCORE', keys.leases, ...marks]))
  return since.some((score) => score !== null)
}

/** All pauses among the members of the leases and the fields of the holders. */
export function pausesIn(
  leases: ReadonlyMap<string, string>,
  holders: ReadonlyMap<string, string>,
): Pauses {
  const consumers = Object.create(null) as Record<string, Pause>
  for (const [member, since] of leases) {
    if (!member.startsWith(pauseMark('')) || member === pauseMark('')) continue
    consumers[member.slice(pauseMark('').length)] = pauseOf(since, holders.get(member))
  }
  const since = leases.get(pauseMark(''))
  const group = since === undefined ? null : pauseOf(since, holders.get(pauseMark('')))
  return { group, consumers }
}

/** Empty for the group as a whole. */
const nameOf = (who: Paused): string => (who === 'group' ? '' : who.consumer)

function pauseOf(since: string, json: string | undefined): Pause {
  return { since: Number(since), by: makerOf(json ?? '') }
}

/** Null when it is no record of ours. */
function makerOf(json: string): PausedBy | null {
  try {
    const { user, host, pid } = JSON.parse(json) as Record<string, unknown>
    if (typeof user !== 'string' || typeof host !== 'string' || typeof pid !== 'number') return null
    return { user, host, pid }
  } catch {
    return null
  }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // The user of a container need not have a name.
    return ''
  }
}
