import type { Millrace } from 'millrace'
import type { CheckinModel } from '../../domain/checkins.ts'
import type { BoundedCalls } from '../limits/bounded-calls.ts'

/** What a query asks: the store, by these calls of the engine, each within bounds. */
export interface Store<Call extends keyof Millrace> {
  readonly millrace: Pick<Millrace, Call>
  /** Every call goes through it. */
  readonly calls: Pick<BoundedCalls, 'run'>
  readonly model: CheckinModel
}
