/** The public surface of millrace, and nothing else. */
export { connect, Millrace, type Addition, type ConnectOptions } from './millrace.ts'
export { MillraceError, isPassing, type MillraceErrorCode } from './errors.ts'
export { stream, encodeEntry, Decoder, isDecodeFailure } from './stream.ts'
export type { DecodeFailure, Entry, Stream } from './stream.ts'
export { integer, text } from './fields.ts'
export type { Field, Fields, IntegerField, TextField, ValuesOf } from './fields.ts'
export {
  average,
  count,
  entryTime,
  first,
  latest,
  max,
  min,
  projection,
  sum,
  type Operator,
  type Operators,
  type Projection,
} from './projection.ts'
export { Group } from './group.ts'
export { groupKeys, type GroupKeys } from './keys.ts'
export type { ConsumerDescription, GroupDescription } from './group.ts'
export type { Consumer, ConsumerCounts, ConsumerObserver, ConsumerOptions } from './consumer.ts'
export type { DeadLetterReason } from './effects.ts'
export type { Handler, HandlerContext, Outcome } from './handler-pool.ts'
export type { Reader, ReaderObserver, ReaderOptions } from './reader.ts'
export { Reference, type Hash, type RefusalCode } from './reference.ts'
export type { Reply } from './redis/connection.ts'
