/** What may be wrong with the group and its stream: each check looks at the facts and finds something or nothing. */
import type { GroupCondition } from 'millrace'
import { countOf, duration, printable, written } from '../terminal/words.ts'
import type { Finding } from './finding.ts'
import type { GroupFacts } from './group-facts.ts'
import type { ServerFacts } from './server-facts.ts'
import { typed } from '../terminal/typed.ts'

type Check = (facts: GroupFacts, server: ServerFacts) => Finding | undefined

const recoverable: Partial<Record<GroupCondition, readonly [check: string, what: string]>> = {
  'no-stream': ['stream-missing', 'The stream does not exist, but the group has processed it.'],
  'no-group': ['group-missing', 'The group does not exist, but has processed check-ins before.'],
  'stream-made-anew': [
    'stream-made-anew',
    'The stream is behind what the group has processed: it was deleted and made anew.',
  ],
  'moved-back': [
    'group-moved-back',
    'The group was moved back or created again, or an entry was claimed by force.',
  ],
  'entries-missing': [
    'entries-missing',
    'Check-ins were delivered that are neither pending nor settled: the group was moved forward, or pending ones were dropped.',
  ],
  unfinished: ['recovery-unfinished', 'A recovery of the group has begun and is not finished.'],
}

const lost: Check = ({ plan }) => {
  const [check, what] = recoverable[plan.condition] ?? []
  if (check === undefined || what === undefined) return undefined
  return {
    check,
    severity: 'problem',
    what,
    why:
      plan.condition === 'entries-missing'
        ? 'They are never processed.'
        : 'Processors refuse to work: going on could count check-ins twice.',
    remedy: `Stop all processors, then ${typed('recover')}.`,
  }
}

const folded: Check = ({ foldedBy, stream, group }) => {
  if (foldedBy !== 'others') return undefined
  return {
    check: 'projections-changed',
    severity: 'problem',
    what: `Group ${group} has folded check-ins of ${stream} by other projections than those of this version.`,
    why: 'Processors of this version refuse to start (PROJECTION_CHANGED): values of both would be mixed in the same hashes.',
    remedy:
      'Go on with the processors of the version that has folded them. Or let this version begin anew with another KEY_PREFIX: stream and hashes of its own.',
  }
}

const missing: Check = ({ plan, balance, hasStream, stream, group }) => {
  if (plan.condition !== 'no-ledger' || balance !== undefined) return undefined
  return {
    check: 'group-not-created',
    severity: 'warning',
    what: hasStream
      ? `Stream ${stream} has no group ${group}, and nothing says that it ever had.`
      : `There is no stream ${stream}, and nothing says that there ever was one.`,
    why: 'Nothing is processed.',
    remedy:
      `${typed('groups create')}${hasStream ? '' : `, or ${typed('load')} for sample data`}. ` +
      'If users and locations hold counts already, restore a backup instead.',
  }
}

const acceptance = typed('groups accept-loss')

const unbalanced: Check = ({ balance, plan }) => {
  const { unaccounted = null } = balance ?? {}
  // What a recovery mends is said by itself.
  if (unaccounted === null || unaccounted === 0 || recoverable[plan.condition]) return undefined
  const accept = `When it is settled, take it into the account: ${acceptance}`
  if (unaccounted > 0) {
    return {
      check: 'balance',
      severity: 'problem',
      what: `${countOf(unaccounted, 'appended check-in is', 'appended check-ins are')} neither counted, dead letters, pending nor undelivered.`,
      why: 'They were deleted or trimmed before they were processed, or acknowledged or dropped by hand: they have no effect.',
      remedy: `Find who does that (XDEL, XTRIM, XADD MAXLEN, XACK, XGROUP DELCONSUMER or SETID). ${accept}`,
    }
  }
  return {
    check: 'balance',
    severity: 'problem',
    what: `${countOf(-unaccounted, 'more check-in is', 'more check-ins are')} counted than were appended.`,
    why: 'Some counted twice, or keys of different times are together (a backup that was restored in part).',
    remedy: `Restore a backup of all keys. ${accept}`,
  }
}

const balanceUnknown: Check = ({ balance }) => {
  if (balance?.hasLedger !== true || balance.unaccounted !== null) return undefined
  const reason =
    balance.skipped === null
      ? 'the group began amid the stream, so nobody knows how many check-ins it skipped'
      : 'too many check-ins are undelivered to be counted'
  return {
    check: 'balance-unknown',
    severity: 'info',
    what: `Cannot tell whether the counts add up: ${reason}.`,
    why: 'A loss would not show here.',
    remedy: 'None is needed. A group that begins at 0 can be told.',
  }
}

const letterCount: Check = ({ balance }) => {
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
    remedy: `Find who does that. When it is settled, take it into the account: ${acceptance}`,
  }
}

const letters: Check = ({ balance }) => {
  const { deadLetters = 0 } = balance ?? {}
  if (deadLetters === 0) return undefined
  return {
    check: 'dead-letters',
    severity: 'warning',
    what: `${countOf(deadLetters, 'dead letter waits', 'dead letters wait')} for somebody to decide.`,
    why: 'These check-ins have no effect yet.',
    remedy: `${typed('dead-letters')}; repair the cause, then redrive or purge them.`,
  }
}

const twice: Check = ({ balance, otherReadings, group }) => {
  if ((balance?.applied ?? 0) === 0 || otherReadings.length === 0) return undefined
  const others = otherReadings.map(
    ({ name, kind, applied }) => `${kind} ${printable(name)} (${written(applied)})`,
  )
  return {
    check: 'two-readings',
    severity: 'problem',
    what: `Besides group ${group} (${countOf(balance?.applied ?? 0, 'check-in')}) the stream was also processed by ${others.join(', ')}.`,
    why: 'Each counts every check-in in the same hashes: they count twice.',
    remedy:
      'Stop all but one, and restore a backup of all keys from before. (Sample data can be loaded again.)',
  }
}

const futureMs = 5000
const dayMs = 86_400_000
const future: Check = ({ balance }, { nowMs }) => {
  const aheadMs = Number(balance?.lastId.split('-')[0] ?? 0) - nowMs
  if (aheadMs < futureMs) return undefined
  return {
    check: 'ids-ahead',
    severity: 'warning',
    what: `The newest id is ${duration(Math.round(aheadMs))} ahead of the server's clock.`,
    why: 'The clock was set back, or ids were given by hand: until it has caught up, lastCheckin stands still and trimming by age keeps too much.',
    remedy:
      aheadMs > dayMs
        ? 'No clock catches up with that: go on with a new stream (another KEY_PREFIX), once this one is processed, and look at who gives ids, perhaps in microseconds.'
        : 'Synchronize the clock (NTP), and wait.',
  }
}

const removed: Check = ({ balance }) => {
  if (balance === undefined) return undefined
  const gone = balance.appended - balance.length - balance.trimmed
  // What was lost by it shows in the balance.
  if (gone <= 0 || balance.unaccounted !== 0) return undefined
  return {
    check: 'removed-otherwise',
    severity: 'info',
    what: `${countOf(gone, 'processed check-in was', 'processed check-ins were')} removed from the stream otherwise than by ${typed('trim')}.`,
    why: 'Nothing was lost this time. XTRIM, XDEL and XADD MAXLEN do not see what is still needed.',
    remedy: `Use ${typed('trim')}.`,
  }
}

/** All that look at the group and its stream. */
export const groupChecks: readonly Check[] = [
  lost,
  folded,
  missing,
  twice,
  unbalanced,
  balanceUnknown,
  letterCount,
  letters,
  future,
  removed,
]
