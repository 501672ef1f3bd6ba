/**
 * Keeps a second reading of the stream from beginning. Promise: of two that begin at the same time at most one goes on, as
 * the mark of who reads is set by one command.
 */
import { MillraceError, type Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { otherReadings, type Reading } from './readings.ts'
import { CommandError } from 'millrace-ops/command'
import { countOf, printable } from 'millrace-ops/terminal'
import { typed } from '../terminal/typed.ts'

/** SET on a full server, too: it is drained by processors, which must not be kept from starting. */
const setAlways = "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], unpack(ARGV))"

export interface ClaimOptions {
  readonly model: CheckinModel
  /** The group of this service, looked at even if it was lost. */
  readonly group: string
  /** Who wants to begin. */
  readonly reading: Reading
  /** Begins although the check-ins are counted already. */
  readonly again: boolean
}

/** @throws {CommandError} when another reading has counted check-ins, or has begun. Nothing was changed then. */
export async function claimReading(
  millrace: Millrace,
  { model, group, reading, again }: ClaimOptions,
): Promise<void> {
  const { readingKey } = model
  const mark = `${reading.kind}: ${reading.name}`
  const set = (...how: readonly string[]) =>
    millrace.send('EVAL', setAlways, '1', readingKey, mark, ...how)
  if (again) {
    await set()
    return
  }
  const others = await otherReadings(millrace, model, reading, [group]).catch((error: unknown) => {
    if (error instanceof MillraceError && error.code === 'WRONG_TYPE') return undefined
    throw error
  })
  // The stream is none: nobody can read it, and the processor says so better.
  if (others === undefined) return
  if (others.length > 0) {
    const counted = others.map(
      (other) => `${inWords(other)} (${countOf(other.applied, 'check-in')})`,
    )
    throw refused(reading, model, `was processed by ${counted.join(', ')}`)
  }
  const held = await set('NX', 'GET')
  if (held === null || held === mark) return
  throw refused(reading, model, `is processed by ${printable(String(held).replace(': ', ' '))}`)
}

const inWords = ({ kind, name }: Reading): string =>
  kind === 'group' ? `group ${printable(name)}` : 'the single processor'

function refused(reading: Reading, { checkins }: CheckinModel, state: string): CommandError {
  return new CommandError(
    `Cannot start ${inWords(reading)}: stream "${checkins.key}" ${state}. Both would count every check-in, so all would count twice. ` +
      `Go on with that one. To count again on purpose: --again. Sample data begins anew with "${typed('load')}"`,
  )
}
