/** Appends entries one by one, each by an XADD. */
import type { Fields, ValuesOf } from '../declare/fields.ts'
import { encodeEntry, type ExtraFields, type Stream } from '../declare/stream.ts'
import type { Connection, Reply } from '../redis/connection.ts'
import {
  anObject,
  checkOptions,
  checkValue,
  integerFrom,
  listOf,
  newId,
  required,
  type Rules,
} from '../support/option-values.ts'
import type { Carry, ServerTracing } from '../trace/tracing.ts'
import type { BatchOptions } from './append-batch.ts'
import type { ReplicaWait } from './replica-wait.ts'

export interface AppendOptions {
  /** Explicit entry id, larger than all ids before it, or its time alone as `<ms>-*`; default `*`: the server gives one. */
  readonly id?: string | undefined
  /** Fields beyond the declared ones, like a trace context; default: none. */
  readonly extra?: ExtraFields | undefined
}

/** An entry to append. */
export interface Addition<F extends Fields> extends AppendOptions {
  readonly values: ValuesOf<F>
}

// What is in values and extra is checked when they are encoded.
const additionRules: Rules<Addition<Fields>> = {
  values: required(anObject),
  id: newId,
  extra: anObject,
}
const additionList = required(listOf(anObject))
// Most appends have no options: then nothing is looked at.
const none = {}
const appendRules: Rules<AppendOptions & Pick<BatchOptions, 'replicas'>> = {
  id: newId,
  extra: anObject,
  replicas: integerFrom(0),
}

/** Where it is appended, and who is told. */
export interface Appending {
  readonly connection: Pick<Connection, 'send'>
  readonly replicaWait: ReplicaWait
  readonly tracing: ServerTracing | undefined
}

/** See `Millrace.append`. */
export async function append<F extends Fields>(
  { connection, replicaWait, tracing }: Appending,
  stream: Stream<F>,
  values: ValuesOf<F>,
  options: AppendOptions & Pick<BatchOptions, 'replicas'> = none,
): Promise<string> {
  if (options !== none) checkOptions(`append to stream "${stream.key}"`, options, appendRules)
  const { id = '*', extra, replicas = 0 } = options
  const send = (carried: ExtraFields | undefined): Promise<Reply> => {
    const args = ['XADD', stream.key, id, ...encodeEntry(stream, values, carried)]
    const write = (): Promise<Reply> => connection.send(args)
    return replicas > 0 ? replicaWait.confirmed(replicas, write) : write()
  }
  if (tracing === undefined) return String(await send(extra))
  const told = { stream, extras: [extra] }
  return String(await tracing.send(told, (carry) => send(carry(extra))))
}

/** See `Millrace.appendMany`. */
export async function appendMany<F extends Fields>(
  { connection, tracing }: Appending,
  stream: Stream<F>,
  additions: readonly Addition<F>[],
): Promise<string[]> {
  const action = `append to stream "${stream.key}"`
  checkValue(action, 'the list of entries', additions, additionList)
  for (const addition of additions) checkOptions(action, addition, additionRules)
  const send = (carry?: Carry): Promise<Reply[]> => {
    const encoded = additions.map(({ values, id = '*', extra }) => [
      ...['XADD', stream.key, id],
      ...encodeEntry(stream, values, carry === undefined ? extra : carry(extra)),
    ])
    return Promise.all(encoded.map((args) => connection.send(args)))
  }
  if (tracing === undefined) return (await send()).map(String)
  const extras = additions.map(({ extra }) => extra)
  const told = { stream, count: additions.length, extras }
  return (await tracing.send(told, send)).map(String)
}
