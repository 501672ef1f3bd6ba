/** Repairs are only told unless they shall be done. */
import { checkOptions, flag, type Rules } from '../support/option-values.ts'

export interface Execution {
  /** Does it, default false. */
  readonly execute?: boolean
}

const rules: Rules<Execution> = { execute: flag }

/** @throws {TypeError} naming the option that cannot be used. */
export function isExecuted(action: string, options: Execution): boolean {
  checkOptions(action, options, rules)
  return options.execute ?? false
}
