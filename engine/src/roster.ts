/** The consumers of a group with their leases, and how one is removed without losing what is pending for it. */
import { problem } from './effects.ts'
import { MillraceError } from './errors.ts'
import type { ConsumerDescription } from './group-info.ts'
import { parkingNames, pauseMark, type GroupKeys } from './keys.ts'
import { holderOf, type Holder } from './lease.ts'
import type { Connection } from './redis/connection.ts'
import { asList, runScript, scripts } from './redis/scripts.ts'

/** A consumer with the state of its lease. */
export interface RosterEntry extends ConsumerDescription {
  /**
   * `alive`: its lease runs; `expired`: it ran out, the next sweep claims its entries; `foreign`: it has none, being
   * stopped in order, or no consumer of ours.
   */
  readonly state: 'alive' | 'expired' | 'foreign'
  /** Paused by itself, not with its group. */
  readonly isPaused: boolean
  /** Milliseconds until the lease ends; negative when it ended; null without one. */
  readonly leaseLeftMs: number | null
  /** Who holds or held the lease; null without one. */
  readonly holder: Pick<Holder, 'host' | 'pid' | 'since'> | null
}

// XCLAIM of so many holds the server for about 2 ms.
const stepMax = 500
const idleMs = 2 ** 31

/** @throws {MillraceError} WRONG_TYPE. */
export async function rosterOf(
  connection: Connection,
  keys: GroupKeys,
  consumers: readonly ConsumerDescription[],
): Promise<RosterEntry[]> {
  const [time, leases, holders] = await Promise.all([
    connection.send(['TIME']),
    connection.send(['ZRANGE', keys.leases, '0', '-1', 'WITHSCORES']),
    connection.send(['HGETALL', keys.holders]),
  ])
  const [seconds, micros] = asList(time).map(Number)
  const now = (seconds ?? 0) * 1000 + (micros ?? 0) / 1000
  const ends = pairs(asList(leases).map(String))
  const holderJson = pairs(asList(holders).map(String))
  return consumers.map((consumer): RosterEntry => {
    const end = ends.get(consumer.name)
    const json = holderJson.get(consumer.name)
    const isPaused = ends.has(pauseMark(consumer.name))
    if (end === undefined || json === undefined) {
      return { ...consumer, isPaused, state: 'foreign', leaseLeftMs: null, holder: null }
    }
    const leaseLeftMs = Math.round(Number(end) - now)
    const { host, pid, since, leaseMs } = holderOf(json)
    // One that would run for longer than it lasts was given before the clock was set back.
    const state = leaseLeftMs > 0 && leaseLeftMs <= leaseMs ? 'alive' : 'expired'
    return { ...consumer, isPaused, state, leaseLeftMs, holder: { host, pid, since } }
  })
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
  const place = [keys.stream, keys.leases, keys.holders, keys.deadLetters, keys.ledger]
  const args = [group, name, parkingNames[0], String(stepMax), String(idleMs)]
  for (let moved = 0; ;) {
    const [kind, value, json] = await runScript(connection, scripts.removeConsumer, place, args)
    const action = `Cannot remove consumer "${name}" of group "${group}"`
    switch (kind) {
      case 'moved':
        moved += Number(value)
        break
      case 'removed':
        return moved + Number(value)
      case 'alive': {
        const { host, pid } = holderOf(String(json))
        const left = (Number(value) / 1000).toFixed(1)
        throw new MillraceError(
          'CONSUMER_ALIVE',
          `${action}: it is alive, process ${pid} on ${host}, its lease runs for ${left} s. Stop it first`,
        )
      }
      case 'missing':
        throw new MillraceError('NO_CONSUMER', `${action}: the group has no consumer of that name`)
      default:
        throw problem(String(value), { stream: keys.stream, group })
    }
  }
}

function parking(action: string): MillraceError {
  const state = 'it only parks entries until a living consumer takes them, and goes by itself'
  return new MillraceError('NO_CONSUMER', `${action}: ${state}`)
}

function pairs(flat: readonly string[]): Map<string, string> {
  const map = new Map<string, string>()
  for (let at = 0; at < flat.length; at += 2) map.set(flat[at] ?? '', flat[at + 1] ?? '')
  return map
}
