/** `millrace/operate`: what tools of operators need beside what a `Group` and its dead letters do. */
export { shownUrl } from './redis/server-address.ts'
export type { FailureParts } from './support/errors.ts'
export { nearest } from './support/known-options.ts'
export type { Balance } from './repair/balance.ts'
export { groupKeys, isName, readerKeys, streamLedger, type GroupKeys } from './redis/keys.ts'
export type { GroupDescription } from './operate/describe-group.ts'
export type {
  Pause,
  Paused,
  PausedBy,
  PauseOptions,
  PauseOutcome,
  Pauses,
} from './consume/pause.ts'
export { ageOf, compareIds, isEntryId } from './support/entry-id.ts'
export type { EntryPage, EntryPageOptions } from './operate/entry-page.ts'
export type { EntryState } from './operate/entry-state.ts'
export type { RecoveryOutcome, RecoveryPlan } from './repair/recovery.ts'
export { rosterIn, type Marks, type RosterEntry } from './operate/roster.ts'
export { pausesIn } from './consume/pause.ts'
export type { CountBounds, RangeCount } from './scripts/reading.ts'
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
export type { TrimReader } from './operate/trim.ts'
export type { Reply } from './redis/connection.ts'
export type { ConsumerDescription } from './redis/replies.ts'
export type { WrongKey } from './scripts/script-failure.ts'
export { deadLetterReasons, type DeadLetterReason } from './scripts/dead-letters.ts'
export type { GroupCondition } from './scripts/recovery.ts'
export type { LagRepair } from './scripts/ledger.ts'
export type { FrontierHolder } from './scripts/trim.ts'
