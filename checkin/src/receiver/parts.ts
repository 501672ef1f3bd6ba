import type { Group, Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { BoundedCalls } from './limits/bounded-calls.ts'
import type { Life } from './operation/shutdown.ts'
import type { IdempotencyLimits, KeysInFlight } from './ingest/idempotency-key.ts'
import type { ReceiverMetrics } from './metrics/metrics.ts'
import type { PressureSource } from './limits/overload.ts'
import type { RefusalLog } from './operation/refusal-log.ts'
import type { Buckets } from './access/rate-limit.ts'
import type { SecurityLog } from './access/security-log.ts'
import type { StreamSlots } from './limits/stream-slots.ts'

/** What the routes work with. */
export interface ReceiverParts {
  readonly millrace: Pick<
    Millrace,
    | 'append'
    | 'appendBatch'
    | 'checkWritable'
    | 'entryPage'
    | 'isConnected'
    | 'rankingPage'
    | 'refusal'
    | 'send'
  >
  readonly model: CheckinModel
  /** Every call to Redis goes through it. */
  readonly calls: BoundedCalls
  readonly refusals: RefusalLog
  /** Is told of everybody who is turned away. */
  readonly security: SecurityLog
  readonly pressure: PressureSource
  /** Routes count what they accept; what they refuse is counted by its status. */
  readonly metrics: ReceiverMetrics
  readonly life: Pick<Life, 'isClosing' | 'isLeaving' | 'closing'>
  /** The group that processes the check-ins: it knows what became of each. */
  readonly group: Pick<Group, 'entryState'>
  readonly idempotency: IdempotencyLimits
  /** Replicas that must have a check-in before it is answered with 202. */
  readonly replicas: number
  readonly keysInFlight: KeysInFlight
  readonly streams: OpenStreams
  /** What each client may send in a second; undefined: any number. */
  readonly buckets: Buckets | undefined
  /** Fields of users and locations that everybody sees beyond the usual ones. */
  readonly publicFields: readonly string[]
}

/** The streams of check-ins that are being received. */
interface OpenStreams {
  readonly slots: StreamSlots
  /** Without a valid line for so long (ms), a stream is ended. */
  readonly idleMs: number
  /** For so long (ms) one of known, short length may be waited for. */
  readonly wholeMs: number
}
