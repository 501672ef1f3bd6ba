/** What stands in front of `lua/push-down.lua`, compiled from the declaration. */
import { compileFold } from './compile-fold.ts'
import { compilePlans } from './compile-plan.ts'
import { refusalTexts } from './dead-letter.ts'
import { luaLiteral } from '../support/lua-literal.ts'
import type { Plan } from '../declare/plan.ts'
import type { Stream } from '../declare/stream.ts'

/** By the names that the script includes. */
export function compilePushDown(
  declared: Stream,
  plans: readonly Plan[],
): Record<'fold' | 'plans' | 'constants', string> {
  const texts = Object.entries(refusalTexts).map(([code, text]) => {
    return `[${luaLiteral(code)}] = ${luaLiteral(text)}`
  })
  const constants = [
    `local may_meet = ${mayMeet(plans)}`,
    `local refusal_texts = { ${texts.join(', ')} }`,
  ]
  return {
    fold: compileFold(declared, plans),
    plans: compilePlans(plans),
    constants: constants.join('\n'),
  }
}

/** Keys whose literal beginnings differ never meet. */
function mayMeet(plans: readonly Plan[]): boolean {
  const beginnings = plans.map(({ key }) => key.literals[0] ?? '')
  return beginnings.some((a, at) =>
    beginnings.slice(at + 1).some((b) => a.startsWith(b) || b.startsWith(a)),
  )
}
