/** The public surface of millrace, and nothing else. */
export { connect, Millrace, type Addition, type AppendOptions } from './millrace.ts'
export type { ConnectOptions } from './connect-options.ts'
export { shownUrl } from './redis/server-address.ts'
export type { Pem, TlsOptions } from './redis/tls-options.ts'
export type { AppendOutcome, BatchItem, BatchOptions } from './append-batch.ts'
export { MillraceError, isPassing, type MillraceErrorCode } from './errors.ts'
export { nearest } from './known-options.ts'
export { stream } from './stream.ts'
export type { Entry, EntryOf, ExtraFields, Stream } from './stream.ts'
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
  type ProjectionOptions,
} from './projection.ts'
export { Group } from './group.ts'
export type { Balance } from './balance.ts'
export { groupKeys, readerKeys, streamLedger, type GroupKeys } from './keys.ts'
export type { GroupDescription } from './describe-group.ts'
export type { ConsumerDescription } from './group-info.ts'
export type { Consumer } from './consumer.ts'
export type { StopOptions } from './lifetime.ts'
export type { ConsumerCounts } from './teller.ts'
export type { Pause, Paused, PausedBy, PauseOptions, PauseOutcome, Pauses } from './pause.ts'
export type { Failure, RetryDecision, RetryPolicy } from './retry-policy.ts'
export type { ConsumerObserver, ConsumerOptions, Delivery } from './consumer-options.ts'
export type { FoldedBatch } from './push-down.ts'
export { ageOf, compareIds, isEntryId } from './entry-id.ts'
export type { EntryPage, EntryPageOptions } from './entry-page.ts'
export type { EntryState } from './entry-state.ts'
export type { GroupCondition, RecoveryOutcome, RecoveryPlan } from './recovery.ts'
export type { RosterEntry } from './roster.ts'
export type { WrongKey } from './wrong-keys.ts'
export type { LagRepair } from './repair-lag.ts'
export type { LossAcceptance } from './accept-loss.ts'
export { deadLetterReasons, type DeadLetterReason } from './effects.ts'
export type { DeadLetter } from './dead-letter.ts'
export type { DeadLetterPage, DeadLetters } from './dead-letters.ts'
export type {
  DeadLetterListOptions,
  DeadLetterSelection,
  PurgeOutcome,
  RedriveOptions,
  RedriveOutcome,
  SettleOptions,
} from './dead-letter-options.ts'
export type { Handler, HandlerContext } from './handler-pool.ts'
export type { Outcome } from './outcome.ts'
export type { Reader, ReaderObserver, ReaderOptions } from './reader.ts'
export { Pressure } from './pressure.ts'
export type {
  PressureLimits,
  PressureOptions,
  PressureReason,
  PressureSample,
  PressureState,
} from './pressure.ts'
export { Trimmer } from './trimmer.ts'
export type { FrontierHolder, TrimOptions, TrimOutcome, TrimReader } from './trim.ts'
export type { TrimmerObserver, TrimmerOptions } from './trimmer.ts'
export type { RankOutcome } from './rank-hashes.ts'
export type { RankableField, Rankings } from './ranking.ts'
export type { RankingPage, RankingPageOptions, RankingPlace, Standing } from './ranking-page.ts'
export { Reference, type Hash, type RefusalCode } from './reference.ts'
export type { Reply } from './redis/connection.ts'
