/** What may be wrong with a group on which others than consumers of the engine work: nothing but what the server tells is known. */
import { countOf, duration, printable, written } from '../terminal/words.ts'
import type { Finding } from './finding.ts'
import type { GroupFacts } from './group-facts.ts'
import { catchingUp, grows, lag, paused, phantomLag, waitingText } from './work-checks.ts'

type Check = (facts: GroupFacts) => Finding | undefined

/** A consumer that has read nothing for so long, and holds something, may be gone. */
const silentMs = 60_000

const foreign: Check = ({ roster, group }) => ({
  check: 'foreign-group',
  severity: 'info',
  what: `Others work on group ${group} (${countOf(roster.length, 'consumer')}), and none of Millrace: there are no leases and no ledger.`,
  why: 'Nobody can tell who lives, nor whether something was lost or processed twice. What follows is what the server tells.',
  remedy: 'None is needed.',
})

const nothingTaken: Check = (facts) => {
  const { flow, roster, stream, group } = facts
  const undelivered = facts.balance?.undelivered ?? Number.POSITIVE_INFINITY
  if (flow?.isBehind !== true || !flow.isStanding || undelivered === 0) return undefined
  const last = [...roster].sort((a, b) => a.idleMs - b.idleMs)[0]
  const who =
    last === undefined
      ? ''
      : ` Who read last, ${printable(last.name)}, did so ${duration(last.idleMs)} ago.`
  return {
    check: 'lag-stands',
    severity: 'problem',
    what: `Nobody took anything for ${duration(Math.round(flow.seconds * 1000))}: ${waitingText(facts)}.${who}`,
    why: 'The consumers are gone, hang, or work on what they hold for long.',
    remedy: `Look at the processes that read ${printable(stream)} for ${group}, and start one.`,
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
export const foreignChecks: readonly Check[] = [
  foreign,
  nothingTaken,
  held,
  paused,
  grows,
  catchingUp,
  lag,
  phantomLag,
]
