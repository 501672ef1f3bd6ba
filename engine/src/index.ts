/** The public surface of millrace, and nothing else. */
export { connect, Millrace, type Addition, type AppendOptions } from './millrace.ts'
export type { ConnectOptions } from './redis/connect-options.ts'
export { shownUrl } from './redis/server-address.ts'
export type { Pem, TlsOptions } from './redis/tls-options.ts'
export type { BatchItem, BatchOptions } from './append/append-batch.ts'
export {
  MillraceError,
  isPassing,
  type FailureParts,
  type MillraceErrorCode,
} from './support/errors.ts'
export { nearest } from './support/known-options.ts'
export { stream } from './declare/stream.ts'
export type { Entry, EntryOf, ExtraFields, Stream } from './declare/stream.ts'
export { integer, text } from './declare/fields.ts'
export type { Field, Fields, IntegerField, TextField, ValuesOf } from './declare/fields.ts'
export { average } from './operators/average.ts'
export { entryTime, first, latest } from './operators/choice.ts'
export { max, min } from './operators/extreme.ts'
export { count, sum } from './operators/total.ts'
export type { Operator, Operators } from './operators/operators.ts'
export { projection, type Projection, type ProjectionOptions } from './declare/projection.ts'
export { Group } from './group.ts'
export type { Balance } from './repair/balance.ts'
export { groupKeys, readerKeys, streamLedger, type GroupKeys } from './redis/keys.ts'
export type { GroupDescription } from './operate/describe-group.ts'
export type { Consumer } from './consume/consumer.ts'
export type { StopOptions } from './support/lifetime.ts'
export type { ConsumerCounts } from './consume/consumer-events.ts'
export type {
  Pause,
  Paused,
  PausedBy,
  PauseOptions,
  PauseOutcome,
  Pauses,
} from './consume/pause.ts'
export type { Failure, RetryDecision, RetryPolicy } from './handle/retry-policy.ts'
export type { ConsumerObserver, ConsumerOptions } from './consume/consumer-options.ts'
export type { Delivery } from './handle/past-deliveries.ts'
export type { FoldedBatch } from './consume/push-down.ts'
export { ageOf, compareIds, isEntryId } from './support/entry-id.ts'
export type { EntryPage, EntryPageOptions } from './operate/entry-page.ts'
export type { EntryState } from './operate/entry-state.ts'
export type { RecoveryOutcome, RecoveryPlan } from './repair/recovery.ts'
export type { RosterEntry } from './operate/roster.ts'
export type { LossAcceptance } from './repair/accept-loss.ts'
export type { DeadLetter } from './apply/dead-letter.ts'
export type { DeadLetterPage, DeadLetters } from './repair/dead-letters.ts'
export type {
  DeadLetterListOptions,
  DeadLetterSelection,
  PurgeOutcome,
  RedriveOptions,
  RedriveOutcome,
  SettleOptions,
} from './repair/dead-letter-options.ts'
export type { Handler, HandlerContext } from './handle/handler-pool.ts'
export type { Outcome } from './handle/outcome.ts'
export type { Reader, ReaderObserver, ReaderOptions } from './consume/reader.ts'
export { Pressure } from './append/pressure.ts'
export type {
  PressureLimits,
  PressureOptions,
  PressureReason,
  PressureSample,
  PressureState,
} from './append/pressure.ts'
export { Trimmer } from './operate/trimmer.ts'
export type { TrimOptions, TrimOutcome, TrimReader } from './operate/trim.ts'
export type { TrimmerObserver, TrimmerOptions } from './operate/trimmer.ts'
export type { RankableField, Rankings } from './declare/ranking.ts'
export type { RankingPageOptions } from './operate/ranking-page.ts'
export { Reference, type Hash, type RefusalCode } from './declare/reference.ts'
export type { Reply } from './redis/connection.ts'
export type { ConsumerDescription } from './redis/replies.ts'
export type { WrongKey } from './scripts/script-failure.ts'
export { deadLetterReasons, type DeadLetterReason } from './scripts/dead-letters.ts'
export type { AppendOutcome } from './scripts/append.ts'
export type { GroupCondition } from './scripts/recovery.ts'
export type { LagRepair } from './scripts/ledger.ts'
export type { FrontierHolder } from './scripts/trim.ts'
export type { RankOutcome, RankingPage, RankingPlace, Standing } from './scripts/ranking.ts'
