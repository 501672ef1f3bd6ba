/** The rules that are shipped, in a form that fires within seconds. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { thisCheckout } from '../../../testing/processes.ts'

interface Rules {
  readonly groups: readonly { readonly rules: readonly { for?: string; expr: string }[] }[]
}

/**
 * Changes two things, and nothing else: every `for` is a second, and in a group of others nobody has asked for `silentS` seconds
 * instead of ten minutes.
 * @throws {Error} when there is no such limit any more, so that the test would wait in vain.
 */
export function shortenedRules({ silentS }: { readonly silentS: number }): string {
  const text = readFileSync(join(thisCheckout, 'ops/alerts.yml'), 'utf8')
  const limit = 'millrace:group_idle_seconds < 600'
  if (text.split(limit).length !== 2) throw new Error(`Cannot shorten the rules: no "${limit}"`)
  const rules = parse(text.replace(limit, `millrace:group_idle_seconds < ${silentS}`)) as Rules
  for (const rule of rules.groups.flatMap((group) => group.rules)) {
    if (rule.for !== undefined) rule.for = '1s'
  }
  // JSON is YAML, too.
  return JSON.stringify(rules)
}
