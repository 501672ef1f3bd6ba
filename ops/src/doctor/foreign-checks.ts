/** What may be wrong with a group on which others than consumers of the engine work: nothing but what the server tells is known. */
import { isName } from 'millrace/operate'
import { countOf, duration, printable, written } from '../terminal/words.ts'
import type { Finding } from './finding.ts'
import type { GroupFacts } from './group-facts.ts'
import {
  catchingUp,
  grows,
  lag,
  paused,
  phantomLag,
  waitingText,
  type WorkCheck,
} from './work-checks.ts'

/** What they find, by the name of the check, besides what is found of any work. */
export const foreignFindings = {
  'foreign-group': 'none of Millrace works on the group: only the server tells of it',
  'pending-silent': 'consumers that have not read for a minute hold pending entries',
} as const

type Check = (facts: GroupFacts) => Finding<keyof typeof foreignFindings> | undefined

/** A consumer that has read nothing for so long may be gone. */
const silentMs = 60_000

const foreign: Check = ({ roster, group }) => ({
  check: 'foreign-group',
  severity: 'info',
  what: `Others work on group ${printable(group)} (${countOf(roster.length, 'consumer')}), and none of Millrace${isName(group) ? '' : ', which can have no group of this name'}: there are no leases and no ledger.`,
  why: 'Nobody can tell who lives, nor whether something was lost or processed twice. What follows is what the server tells.',
  remedy: 'None is needed.',
})

const nothingTaken: WorkCheck = (facts) => {
  const { flow, roster, stream, group } = facts
  const undelivered = facts.balance?.undelivered ?? Number.POSITIVE_INFINITY
  if (flow?.isBehind !== true || !flow.isStanding || undelivered === 0) return undefined
  const last = [...roster].sort((a, b) => a.idleMs - b.idleMs)[0]
  const who =
    last === undefined
      ? ''
      : ` Who read last, ${printable(last.name)}, did so ${duration(last.idleMs)} ago.`
  // Work that takes long is no fault, and nobody but those who do it can tell.
  const isSilent = roster.every(({ idleMs }) => idleMs > silentMs)
  return {
    check: 'lag-stands',
    severity: isSilent ? 'problem' : 'warning',
    what: `Nobody took anything for ${duration(Math.round(flow.seconds * 1000))}: ${waitingText(facts)}.${who}`,
    why: isSilent
      ? 'None of the consumers has read for more than a minute: they are gone, or hang.'
      : 'The consumers work on what they hold for long, hang, or are gone.',
    remedy: `Look at the processes that read ${printable(stream)} for ${printable(group)}${isSilent ? ', and start one' : ': if none lives, start one'}.`,
  }
}

const held: Check = ({ roster, typed }) => {
  const silent = roster.filter(({ pending, idleMs }) => pending > 0 && idleMs > silentMs)
  if (silent.length === 0) return undefined
  const names = silent.map(
    ({ name, pending, idleMs }) =>
      `${printable(name)} (${written(pending)}, silent for ${duration(idleMs)})`,
  )
  return {
    check: 'pending-silent',
    severity: 'warning',
    what: `Consumers that have not read for more than a minute hold pending entries: ${names.join(', ')}.`,
    why: 'If they are gone, nobody processes these entries until another consumer claims them.',
    remedy: `${typed('pending')} shows them. Let a living consumer take them: XAUTOCLAIM.`,
  }
}

/** All that look at the work of others. */
export const foreignChecks: readonly (Check | WorkCheck)[] = [
  foreign,
  nothingTaken,
  held,
  paused,
  grows,
  catchingUp,
  lag,
  phantomLag,
]
