/** How much push-down can be asked for: one script folds entries in functions of Lua that have their own limits. */
import type { Plan } from '../declare/plan.ts'
import type { Stream } from '../declare/stream.ts'

/** The most entries of one batch: sums of so many small values need no check of their size. */
export const pushDownMax = 5000

// A function of Lua has 200 local variables: here three for each field and five for each projection.
export const fieldsMax = 30
export const plansMax = 12

/** False when stream or projections are too wide for one Lua function; such entries are pulled. */
export function isFoldable(declared: Stream, plans: readonly Plan[]): boolean {
  const fields = Object.keys(declared.fields).length
  return plans.length > 0 && fields <= fieldsMax && plans.length <= plansMax
}
