/** The public surface of millrace: what applications call. For tools of operators: `operating.ts`; for tests: `testing.ts`. */
export { connect, Millrace } from './millrace.ts'
export type { Addition, AppendOptions } from './append/append.ts'
export type { ConnectOptions } from './redis/connect.ts'
export type { Pem, TlsNames, TlsOptions } from './redis/tls-options.ts'
export type { BatchItem, BatchOptions } from './append/append-batch.ts'
export { MillraceError, isPassing, type MillraceErrorCode } from './support/errors.ts'
export {
  stream,
  type Entry,
  type EntryOf,
  type ExtraFields,
  type Stream,
} from './declare/stream.ts'
export {
  integer,
  text,
  type Field,
  type Fields,
  type IntegerField,
  type TextField,
  type ValuesOf,
} from './declare/fields.ts'
export { average } from './operators/average.ts'
export { entryTime, first, latest } from './operators/choice.ts'
export { max, min } from './operators/extreme.ts'
export { count, sum } from './operators/total.ts'
export type { Operator, Operators } from './operators/operators.ts'
export { projection, type Projection, type ProjectionOptions } from './declare/projection.ts'
export { Group } from './group.ts'
export type { Consumer } from './consume/consumer.ts'
export type { StopOptions } from './support/lifetime.ts'
export type { ConsumerCounts } from './consume/consumer-events.ts'
export type { Failure, RetryDecision, RetryPolicy } from './handle/retry-policy.ts'
export type { ConsumerObserver, ConsumerOptions } from './consume/consumer-options.ts'
export type { Delivery } from './handle/past-deliveries.ts'
export type { AppliedBatch } from './apply/settled.ts'
export type { FoldedBatch } from './consume/push-down.ts'
export type { Handler, HandlerContext } from './handle/handler.ts'
export type { Outcome } from './handle/outcome.ts'
export type { Reader } from './reader/reader.ts'
export type { ReaderObserver, ReaderOptions } from './reader/reader-options.ts'
export {
  Pressure,
  type PressureLimits,
  type PressureOptions,
  type PressureReason,
  type PressureSample,
  type PressureState,
} from './append/pressure.ts'
export { Trimmer, type TrimmerObserver, type TrimmerOptions } from './operate/trimmer.ts'
export type { TrimOptions, TrimOutcome } from './operate/trim.ts'
export type { RankableField, Rankings } from './declare/ranking.ts'
export type { RankingPageOptions } from './operate/ranking-page.ts'
export type { AppendOutcome } from './scripts/append.ts'
export type { RankOutcome, RankingPage, RankingPlace, Standing } from './scripts/ranking.ts'
