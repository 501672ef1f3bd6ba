/** The replies of XINFO, which are names and values in turn. */
import type { Reply } from '../redis/connection.ts'
import { asList } from './run-script.ts'

export interface ConsumerDescription {
  readonly name: string
  /** Entries that are delivered to it and not acknowledged. */
  readonly pending: number
  /** Milliseconds since its last read; on Redis 7.0 since its last read that returned entries. */
  readonly idleMs: number
}

/** Names and values in turn, as an object. */
export function record(flat: Reply): Record<string, Reply> {
  const list = asList(flat)
  const values = Object.create(null) as Record<string, Reply>
  for (let at = 0; at < list.length; at += 2) values[String(list[at])] = list[at + 1] ?? null
  return values
}

/** A consumer in the reply of XINFO CONSUMERS. */
export function consumerOf(flat: Reply): ConsumerDescription {
  const values = record(flat)
  return {
    name: String(values.name),
    pending: Number(values.pending),
    idleMs: Number(values.idle),
  }
}
