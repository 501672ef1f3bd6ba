/** The one place that asks Redis how streams and groups do: `millrace-ops/snapshot`. */
export type * from './snapshot.ts'
export type { LookOptions } from './look/look.ts'
export { takeSnapshot, takeStream, type TakeOptions } from './take-snapshot.ts'
export { pendingAges } from './look/pending-ages.ts'
export { Snapshots, type Known, type SnapshotsOptions } from './snapshots.ts'
export { groupStates, sentenceOf, waitingText, worstFirst } from './state.ts'
