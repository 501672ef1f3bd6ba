/** What may be wrong with the group and its stream: each check looks at the facts and finds something or nothing. */
import { isName, type GroupCondition } from 'millrace/operate'
import { countOf, duration, printable, written } from '../terminal/words.ts'
import type { Finding } from './finding.ts'
import type { GroupFacts } from './group-facts.ts'
import type { ServerFacts } from './server-facts.ts'

/** What they find, by the name of the check. */
export const groupFindings = {
  'stream-missing': 'the stream is gone, with a group that has processed it',
  'group-missing': 'the group is gone, after it has processed entries',
  'stream-made-anew': 'the stream was deleted and made anew, behind the group',
  'group-moved-back': 'the group was moved back or created again, or an entry was claimed by force',
  'entries-missing': 'entries were delivered that are neither pending nor settled',
  'recovery-unfinished': 'a recovery has begun and is not finished',
  'group-not-created': 'there is no such stream or group, and never was',
  balance: 'what was appended is not what was counted, or waits',
  'balance-unknown': 'nobody can tell whether the counts add up',
  'dead-letter-count': 'the ledger counts other dead letters than there are',
  'dead-letters': 'dead letters wait for somebody to decide',
  'ids-ahead': 'the newest id is ahead of the clock of the server',
  'removed-otherwise': 'others than our trim have removed processed entries',
} as const

type Name = keyof typeof groupFindings
type Check = (facts: GroupFacts, server: ServerFacts) => Finding<Name> | undefined

/** By the condition of the group: the name of the check, and what it found with the noun for many entries. */
const recoverable: Partial<
  Record<GroupCondition, readonly [check: Name, what: (many: string) => string]>
> = {
  'no-stream': [
    'stream-missing',
    () => 'The stream does not exist, but the group has processed it.',
  ],
  'no-group': [
    'group-missing',
    (many) => `The group does not exist, but has processed ${many} before.`,
  ],
  'stream-made-anew': [
    'stream-made-anew',
    () => 'The stream is behind what the group has processed: it was deleted and made anew.',
  ],
  'moved-back': [
    'group-moved-back',
    () => 'The group was moved back or created again, or an entry was claimed by force.',
  ],
  'entries-missing': [
    'entries-missing',
    (many) =>
      `${capital(many)} were delivered that are neither pending nor settled: the group was moved forward, or pending ones were dropped.`,
  ],
  unfinished: [
    'recovery-unfinished',
    () => 'A recovery of the group has begun and is not finished.',
  ],
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

const lost: Check = ({ plan, words, typed }) => {
  const { entry, worker } = words
  const [check, what] = recoverable[plan.condition] ?? []
  if (check === undefined || what === undefined) return undefined
  return {
    check,
    severity: 'problem',
    what: what(entry[1]),
    why:
      plan.condition === 'entries-missing'
        ? 'They are never processed.'
        : `${capital(worker[1])} refuse to work: going on could count ${entry[1]} twice.`,
    remedy: `Stop all ${worker[1]}, then ${typed('recover')}.`,
  }
}

const missing: Check = ({ plan, balance, hasStream, stream, group, words, typed }) => {
  if (plan.condition !== 'no-ledger' || balance !== undefined) return undefined
  return {
    check: 'group-not-created',
    severity: 'warning',
    what: hasStream
      ? `Stream ${printable(stream)} has no group ${printable(group)}, and nothing says that it ever had.`
      : `There is no stream ${printable(stream)}, and nothing says that there ever was one.`,
    why: 'Nothing is processed.',
    remedy: !isName(group)
      ? `${typed('groups')} shows which there are.`
      : `${typed('groups create')}${hasStream ? '' : words.orSampleData}. ` +
        `If ${words.results} are there already, restore a backup instead.`,
  }
}

const unbalanced: Check = ({ balance, plan, words, typed }) => {
  const [one, many] = words.entry
  const { unaccounted = null } = balance ?? {}
  // What a recovery mends is said by itself.
  if (unaccounted === null || unaccounted === 0 || recoverable[plan.condition]) return undefined
  const accept = `When it is settled, take it into the account: ${typed('groups accept-loss')}`
  if (unaccounted > 0) {
    return {
      check: 'balance',
      severity: 'problem',
      what: `${countOf(unaccounted, `appended ${one} is`, `appended ${many} are`)} neither counted, dead letters, pending nor undelivered.`,
      why: 'They were deleted or trimmed before they were processed, or acknowledged or dropped by hand: they have no effect.',
      remedy: `Find who does that (XDEL, XTRIM, XADD MAXLEN, XACK, XGROUP DELCONSUMER or SETID). ${accept}`,
    }
  }
  return {
    check: 'balance',
    severity: 'problem',
    what: `${countOf(-unaccounted, `more ${one} is`, `more ${many} are`)} counted than were appended.`,
    why: 'Some counted twice, or keys of different times are together (a backup that was restored in part).',
    remedy: `Restore a backup of all keys. ${accept}`,
  }
}

const balanceUnknown: Check = ({ balance, words }) => {
  const many = words.entry[1]
  if (balance?.hasLedger !== true || balance.unaccounted !== null) return undefined
  const reason =
    balance.skipped === null
      ? `the group began amid the stream, so nobody knows how many ${many} it skipped`
      : `too many ${many} are undelivered to be counted`
  return {
    check: 'balance-unknown',
    severity: 'info',
    what: `Cannot tell whether the counts add up: ${reason}.`,
    why: 'A loss would not show here.',
    remedy: 'None is needed. A group that begins at 0 can be told.',
  }
}

const letterCount: Check = ({ balance, typed }) => {
  if (balance?.hasLedger !== true) return undefined
  const { deadLettered, redriven, purged, deadLetters } = balance
  const difference = deadLettered - redriven - purged - deadLetters
  if (difference === 0) return undefined
  const many = written(Math.abs(difference))
  return {
    check: 'dead-letter-count',
    severity: difference > 0 ? 'problem' : 'warning',
    what: `The dead-letter stream holds ${countOf(deadLetters, 'letter')}, ${many} ${difference > 0 ? 'fewer' : 'more'} than the ledger counts.`,
    why:
      difference > 0
        ? 'Somebody deleted letters otherwise than by purge: nobody can redrive them.'
        : 'Somebody else wrote letters, or they are older than the ledger.',
    remedy: `Find who does that. When it is settled, take it into the account: ${typed('groups accept-loss')}`,
  }
}

const letters: Check = ({ balance, words, typed }) => {
  const { deadLetters = 0 } = balance ?? {}
  if (deadLetters === 0) return undefined
  return {
    check: 'dead-letters',
    severity: 'warning',
    what: `${countOf(deadLetters, 'dead letter waits', 'dead letters wait')} for somebody to decide.`,
    why: `These ${words.entry[1]} have no effect yet.`,
    remedy: `${typed('dead-letters')}; repair the cause, then redrive or purge them.`,
  }
}

const futureMs = 5000
const dayMs = 86_400_000
const future: Check = ({ balance, words }, { nowMs }) => {
  const aheadMs = Number(balance?.lastId.split('-')[0] ?? 0) - nowMs
  if (aheadMs < futureMs) return undefined
  return {
    check: 'ids-ahead',
    severity: 'warning',
    what: `The newest id is ${duration(Math.round(aheadMs))} ahead of the server's clock.`,
    why: 'The clock was set back, or ids were given by hand: until it has caught up, what the latest time decides stands still, and trimming by age keeps too much.',
    remedy:
      aheadMs > dayMs
        ? `No clock catches up with that: once this one is processed, ${words.elsewhere}, and look at who gives ids, perhaps in microseconds.`
        : 'Synchronize the clock (NTP), and wait.',
  }
}

const removed: Check = ({ balance, words, typed }) => {
  const [one, many] = words.entry
  if (balance === undefined) return undefined
  const gone = balance.appended - balance.length - balance.trimmed
  // What was lost by it shows in the balance.
  if (gone <= 0 || balance.unaccounted !== 0) return undefined
  return {
    check: 'removed-otherwise',
    severity: 'info',
    what: `${countOf(gone, `processed ${one} was`, `processed ${many} were`)} removed from the stream otherwise than by ${typed('trim')}.`,
    why: 'Nothing was lost this time. XTRIM, XDEL and XADD MAXLEN do not see what is still needed.',
    remedy: `Use ${typed('trim')}.`,
  }
}

/** All that look at the group and its stream. */
export const groupChecks: readonly Check[] = [
  lost,
  missing,
  unbalanced,
  balanceUnknown,
  letterCount,
  letters,
  future,
  removed,
]
