/** Says which dead letters a command had to leave where they are, and what can be done about it. */
import type { PurgeOutcome, RedriveOutcome } from 'millrace/operate'
import { written } from '../terminal/words.ts'
import type { Typed } from '../place/typed.ts'

type KeptOutcome = Exclude<RedriveOutcome | PurgeOutcome, 'redriven' | 'purged'>

export interface Kept {
  readonly id: string
  readonly outcome: KeptOutcome
}

const shownMax = 5

const explanationsWith = (typed: Typed): Readonly<Record<KeptOutcome, string>> => ({
  gone: `no dead letter of the group has this id, of its own or of its entry (any more). See what there is with "${typed('dead-letters')}"`,
  ambiguous: `more than one dead letter has this id, as its own or as that of its entry. Use another of their ids: "${typed('dead-letters show ID')}" names them`,
  'body-gone':
    'the stream does not hold the entry any more. If it shall count, append its fields as a new entry; then purge the letter',
  mismatch:
    'the stream holds another entry under this id, or the letter names none: it is from before the stream was made anew. Purge it',
  undelivered:
    'the group was moved back before the entry and will deliver it anyway. Purge the letter: both would count',
  older:
    'the group was created anew since, and may have counted the entry again. If it did not, append its fields as a new entry; then purge the letter',
})

/** One line for each outcome, with the first ids. */
export function keptInWords(kept: readonly Kept[], typed: Typed): string {
  const explanations = explanationsWith(typed)
  const byOutcome = new Map<KeptOutcome, string[]>()
  for (const { id, outcome } of kept) {
    const ids = byOutcome.get(outcome)
    if (ids === undefined) byOutcome.set(outcome, [id])
    else ids.push(id)
  }
  const lines = [...byOutcome].map(([outcome, ids]) => {
    const more = ids.length > shownMax ? ` and ${written(ids.length - shownMax)} more` : ''
    return `  ${ids.slice(0, shownMax).join(', ')}${more}: ${explanations[outcome]}`
  })
  return lines.join('\n')
}
