import type { Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import type { BoundedCalls } from './bounded-calls.ts'
import type { ReceiverMetrics } from './metrics.ts'
import type { PressureSource } from './overload.ts'
import type { RefusalLog } from './refusal-log.ts'

/** What the routes work with. */
export interface ReceiverParts {
  readonly millrace: Pick<Millrace, 'append' | 'rankingPage' | 'send'>
  readonly model: CheckinModel
  /** Every call to Redis goes through it. */
  readonly calls: BoundedCalls
  readonly refusals: RefusalLog
  readonly pressure: PressureSource
  /** Routes count what they accept; what they refuse is counted by its status. */
  readonly metrics: ReceiverMetrics
  readonly life: { readonly isClosing: boolean }
}
