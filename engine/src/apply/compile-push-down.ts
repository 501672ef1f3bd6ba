/** The script that drains a group by its projections: `lua/push-down.lua` behind what is compiled from the declaration. */
import { compileFold } from './compile-fold.ts'
import { compilePlans } from './compile-plan.ts'
import { refusalTexts } from './dead-letter.ts'
import { luaLiteral } from '../support/lua-literal.ts'
import type { Plan } from '../declare/plan.ts'
import { script, type Script } from '../scripts/run-script.ts'
import type { Stream } from '../declare/stream.ts'

export function compilePushDown(declared: Stream, plans: readonly Plan[]): Script {
  const texts = Object.entries(refusalTexts).map(([code, text]) => {
    return `[${luaLiteral(code)}] = ${luaLiteral(text)}`
  })
  const constants = [
    `local may_meet = ${mayMeet(plans)}`,
    `local refusal_texts = { ${texts.join(', ')} }`,
  ]
  return script('push-down', {
    fold: compileFold(declared, plans),
    plans: compilePlans(plans),
    constants: constants.join('\n'),
  })
}

/** Keys whose literal beginnings differ never meet. */
function mayMeet(plans: readonly Plan[]): boolean {
  const beginnings = plans.map(({ key }) => key.literals[0] ?? '')
  return beginnings.some((a, at) =>
    beginnings.slice(at + 1).some((b) => a.startsWith(b) || b.startsWith(a)),
  )
}
