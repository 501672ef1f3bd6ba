/** The consumers of a group with their leases, and how one is removed without losing what is pending for it. */
import { MillraceError } from '../support/errors.ts'
import { parkingNames, type GroupKeys } from '../redis/keys.ts'
import { holderOf, type Holder } from '../consume/lease.ts'
import { pausesIn, type Pause, type Pauses } from '../consume/pause.ts'
import type { Connection } from '../redis/connection.ts'
import { type ConsumerDescription, asList } from '../redis/replies.ts'
import * as scripts from '../scripts/group.ts'

/** A consumer with the state of its lease. */
export interface RosterEntry extends ConsumerDescription {
  /**
   * `alive`: its lease runs; `expired`: it ran out, the next sweep claims its entries; `no-lease`: it has none, being
   * stopped in order, or no consumer of ours; `absent`: it is paused before it was ever there.
   */
  readonly state: 'alive' | 'expired' | 'no-lease' | 'absent'
  /** Paused by itself, not with its group. */
  readonly isPaused: boolean
  /** Its own pause; null when it is not paused by itself. */
  readonly pause: Pause | null
  /** Milliseconds until the lease ends; negative when it ended; null without one. */
  readonly leaseLeftMs: number | null
  /** Who holds or held the lease; null without one. */
  readonly holder: Pick<Holder, 'host' | 'pid' | 'since'> | null
}

// XCLAIM of so many holds the server for about 2 ms.
const stepMax = 500
const idleMs = 2 ** 31

/**
 * The consumers that the server knows, those that live but were not delivered anything yet, and paused names.
 * @throws {MillraceError} WRONG_TYPE.
 */
export async function rosterOf(
  connection: Connection,
  keys: GroupKeys,
  consumers: readonly ConsumerDescription[],
): Promise<RosterEntry[]> {
  const [time, marks] = await Promise.all([connection.send(['TIME']), marksOf(connection, keys)])
  const [seconds, micros] = asList(time).map(Number)
  return rosterIn(consumers, marks, (seconds ?? 0) * 1000 + (micros ?? 0) / 1000)
}

/**
 * The roster from what was read.
 * @param consumers as XINFO CONSUMERS tells them
 * @param nowMs the server's clock
 */
export function rosterIn(
  consumers: readonly ConsumerDescription[],
  marks: Marks,
  nowMs: number,
): RosterEntry[] {
  const pauses = pausesIn(marks.leases, marks.holders).consumers
  const known = new Set(consumers.map(({ name }) => name))
  const entryOf = (consumer: ConsumerDescription): RosterEntry => {
    const pause = pauses[consumer.name] ?? null
    return { ...consumer, isPaused: pause !== null, pause, ...leaseOf(consumer.name, marks, nowMs) }
  }
  const newcomers = [...new Set([...marks.leases.keys(), ...Object.keys(pauses)])]
    .filter((name) => !name.startsWith('@') && !known.has(name))
    .map((name) => entryOf({ name, pending: 0, idleMs: heldForMs(name, marks, nowMs) }))
    .map((entry) => (entry.state === 'no-lease' ? { ...entry, state: 'absent' as const } : entry))
    .filter(({ state, isPaused }) => state === 'alive' || isPaused)
  return [...consumers.map(entryOf), ...newcomers].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** All pauses of a group. @throws {MillraceError} WRONG_TYPE. */
export async function pausesOf(connection: Connection, keys: GroupKeys): Promise<Pauses> {
  const { leases, holders } = await marksOf(connection, keys)
  return pausesIn(leases, holders)
}

/** What stands in the leases and the holders of a group, by name of a consumer or of a mark. */
export interface Marks {
  readonly leases: ReadonlyMap<string, string>
  readonly holders: ReadonlyMap<string, string>
}

async function marksOf(connection: Connection, keys: GroupKeys): Promise<Marks> {
  const [leases, holders] = await Promise.all([
    connection.send(['ZRANGE', keys.leases, '0', '-1', 'WITHSCORES']),
    connection.send(['HGETALL', keys.holders]),
  ])
  return { leases: pairs(asList(leases).map(String)), holders: pairs(asList(holders).map(String)) }
}

function leaseOf(
  name: string,
  { leases, holders }: Marks,
  now: number,
): Pick<RosterEntry, 'state' | 'leaseLeftMs' | 'holder'> {
  const end = leases.get(name)
  const json = holders.get(name)
  if (end === undefined || json === undefined) {
    return { state: 'no-lease', leaseLeftMs: null, holder: null }
  }
  const leaseLeftMs = Math.round(Number(end) - now)
  const { host, pid, since, leaseMs } = holderOf(json)
  // One that would run for longer than it lasts was given before the clock was set back.
  const state = leaseLeftMs > 0 && leaseLeftMs <= leaseMs ? 'alive' : 'expired'
  return { state, leaseLeftMs, holder: { host, pid, since } }
}

/** How long it has had its name: it was not read for yet. */
function heldForMs(name: string, { holders }: Marks, now: number): number {
  const since = Date.parse(holderOf(holders.get(name) ?? '').since)
  return Number.isNaN(since) ? 0 : Math.max(0, Math.round(now - since))
}

/**
 * Removes a consumer: moves what is pending for it to where the next sweep claims it, and deletes it once it is empty.
 * @returns the number of entries that were moved.
 * @throws {MillraceError} CONSUMER_ALIVE while its lease runs, NO_CONSUMER, NO_GROUP.
 */
export async function removeConsumer(
  connection: Connection,
  keys: GroupKeys,
  group: string,
  name: string,
): Promise<number> {
  const parks = parkingNames.some((parking) => parking === name)
  if (parks) throw parking(`Cannot remove consumer "${name}" of group "${group}"`)
  const what = { group, consumer: name, parkingName: parkingNames[0], most: stepMax, idleMs }
  for (let moved = 0; ;) {
    const step = await scripts.removeConsumer(connection, keys, what)
    const action = `Cannot remove consumer "${name}" of group "${group}"`
    switch (step.kind) {
      case 'moved':
        moved += step.moved
        break
      case 'removed':
        return moved + step.moved
      case 'alive': {
        const { host, pid } = holderOf(step.holder)
        const left = (step.leftMs / 1000).toFixed(1)
        throw new MillraceError('CONSUMER_ALIVE', {
          action,
          state: `it is alive, process ${pid} on ${host}, its lease runs for ${left} s`,
          remedy: 'Stop it first',
        })
      }
      case 'missing':
        throw new MillraceError('NO_CONSUMER', {
          action,
          state: 'the group has no consumer of that name',
          remedy: 'Look at the names that the roster shows',
        })
    }
  }
}

function parking(action: string): MillraceError {
  return new MillraceError('NO_CONSUMER', {
    action,
    state: 'it only parks entries until a living consumer takes them',
    remedy: 'None is needed: it goes by itself',
  })
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>()
  for (let at = 0; at < flat.length; at += 2) map.set(flat[at] ?? '', flat[at + 1] ?? '')
  return map
}
