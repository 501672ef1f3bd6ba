/** What may be wrong with the work on the group: who works, who is paused, and whether what waits gets less. */
import { isName, type Pause } from 'millrace/operate'
import { countOf, duration, printable, written } from '../terminal/words.ts'
import { isParking } from '../groups/held-for.ts'
import { pauseText } from '../terminal/pause-text.ts'
import type { Finding } from './finding.ts'
import { isWorkedOn, type GroupFacts } from './group-facts.ts'

/** What they find, by the name of the check. */
export const workFindings = {
  'no-processor': 'something waits, and no consumer is alive',
  paused: 'the group or a consumer is paused',
  'lag-grows': 'more comes than is done',
  'lag-stays': 'what waits gets no less',
  'lag-stands': 'something waits, and nobody takes anything',
  'catching-up': 'what waits gets less',
  'pending-without-lease': 'consumers without a running lease hold pending entries',
  'retries-lost': 'entries wait for their next attempt without a time for it',
  'lag-unknown': 'the server cannot tell the lag',
  'lag-phantom': 'the lag that the server tells is not what is undelivered',
} as const

/** One that looks at the work on a group. */
export type WorkCheck = (facts: GroupFacts) => Finding<keyof typeof workFindings> | undefined

/** What is undelivered and pending, how old it is, and how fast it grows. */
export function waitingText({ balance, flow, words }: GroupFacts): string {
  const [one, many] = words.entry
  const { undelivered = 0, pending = 0 } = balance ?? {}
  const counted =
    undelivered === null
      ? `more than a million ${many} are`
      : countOf(undelivered, `${one} is`, `${many} are`)
  const { oldestUndeliveredMs = null, oldestPendingMs = null, growthPerSecond = 0 } = flow ?? {}
  const growth = Math.round(growthPerSecond * 10) / 10
  return [
    `${counted} undelivered${ageText(oldestUndeliveredMs)}`,
    ` and ${written(pending)} pending${ageText(oldestPendingMs)}`,
    growth > 0 ? `, ${written(growth)} more each second` : '',
  ].join('')
}

const ageText = (ms: number | null): string =>
  ms === null ? '' : ` (the oldest ${duration(ms)} old)`

/** Something is undelivered or pending. */
function isWaiting({ balance }: GroupFacts): boolean {
  if (balance === undefined) return false
  return balance.pending > 0 || balance.undelivered === null || balance.undelivered > 0
}

const nobodyWorks: WorkCheck = (facts) => {
  if (!isWaiting(facts) || facts.roster.some(({ state }) => state === 'alive')) return undefined
  return {
    check: 'no-processor',
    severity: 'problem',
    what: `No ${facts.words.worker[0]} is alive, ${waitingText(facts)}.`,
    why: 'Nobody processes them, and nobody claims what the dead ones held.',
    remedy: `${facts.words.startWorker}.`,
  }
}

export const paused: WorkCheck = (facts) => {
  const { pauses, roster, typed } = facts
  const names = Object.keys(pauses.consumers)
  if (pauses.group === null && names.length === 0) return undefined
  const list = [
    ...(pauses.group === null ? [] : [`The group is paused${sinceText(pauses.group)}.`]),
    ...Object.entries(pauses.consumers).map(
      ([name, pause]) => `Consumer ${printable(name)} is paused${sinceText(pause)}.`,
    ),
  ]
  const lives = roster.some(({ state }) => state === 'alive')
  const isHalted = isWaiting(facts) && (pauses.group !== null || (lives && !isWorkedOn(facts)))
  const isHolding = roster.some(({ isPaused, pending, state }) => {
    return isPaused && pending > 0 && state === 'alive'
  })
  const commands = [
    ...(pauses.group === null ? [] : [typed('groups resume')]),
    ...names.map((name) => `${typed('consumers resume')} ${printable(name)}`),
  ]
  return {
    check: 'paused',
    severity: isHalted ? 'problem' : isHolding ? 'warning' : 'info',
    what: [...list, ...(isHalted ? [`Meanwhile ${waitingText(facts)}.`] : [])].join(' '),
    why: isHalted
      ? 'Nobody who may work lives: nothing is processed until somebody resumes it.'
      : 'It reads and claims nothing, and what it holds waits, until somebody resumes it.',
    remedy: `${commands.join(', ')}.`,
  }
}

const sinceText = (pause: Pause): string => ` ${pauseText(pause)}`

export const grows: WorkCheck = (facts) => {
  const { flow, words, typed } = facts
  if (flow?.isBehind !== true || !isWorkedOn(facts) || flow.growthPerSecond <= 0) return undefined
  return {
    check: 'lag-grows',
    severity: 'problem',
    what: `Processing does not keep up: ${waitingText(facts)} (${ratesText(facts)}).`,
    why: `${capital(words.entry[1])} take effect later and later.`,
    remedy: `${typed('consumers')} says who works. Let more ${words.worker[1]} work, each as fast as it can: ${words.startWorker}. Look at the load of the server and of this machine.`,
  }
}

const stands: WorkCheck = (facts) => {
  const { flow, words, typed } = facts
  if (flow?.isBehind !== true || !isWorkedOn(facts) || flow.growthPerSecond !== 0) return undefined
  if (!flow.isStanding) {
    return {
      check: 'lag-stays',
      severity: 'warning',
      what: `Processing does not catch up: ${waitingText(facts)}, as many as before (${ratesText(facts)}).`,
      why: `As much comes as is done: ${words.entry[1]} take effect late, and what more comes waits longer.`,
      remedy: `One more ${words.worker[0]} helps: ${words.startWorker}.`,
    }
  }
  return {
    check: 'lag-stands',
    severity: 'problem',
    what: `${capital(words.worker[1])} live, but took nothing for ${duration(Math.round(flow.seconds * 1000))}: ${waitingText(facts)}.`,
    why: 'They hang, wait for a slow handler, or cannot reach the server for long.',
    remedy: `Look at the log of the ${words.worker[1]} that ${typed('consumers')} shows as alive, and restart them: what they hold is claimed.`,
  }
}

export const catchingUp: WorkCheck = (facts) => {
  const { flow, words } = facts
  if (flow?.isBehind !== true || !isWorkedOn(facts) || flow.growthPerSecond >= 0) return undefined
  const { secondsToCatchUp } = flow
  const left =
    secondsToCatchUp === null
      ? ''
      : `, nothing waits any more in about ${duration(Math.ceil(secondsToCatchUp) * 1000)}`
  return {
    check: 'catching-up',
    severity: 'info',
    what: `Processing catches up: ${waitingText(facts)} (${ratesText(facts)})${left}.`,
    why: 'More is done than comes.',
    remedy: `None is needed. With more ${words.worker[1]} it is faster.`,
  }
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

/** What came and what was done between the looks. */
function ratesText({ flow }: GroupFacts): string {
  const { inPerSecond = 0, donePerSecond = 0 } = flow ?? {}
  return `${rate(inPerSecond)} in, ${rate(donePerSecond)} done`
}

/** A rate as people read it: `200/s`, `0.2/s`. */
export const rate = (perSecond: number): string =>
  `${written(perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond))}/s`

const unheld: WorkCheck = (facts) => {
  const { roster, words, typed } = facts
  const held = roster.filter(
    ({ name, state, pending }) => state !== 'alive' && pending > 0 && !isParking(name),
  )
  if (!isWorkedOn(facts) || held.length === 0) return undefined
  const names = held.map(({ name, pending }) => `${printable(name)} (${written(pending)})`)
  return {
    check: 'pending-without-lease',
    severity: 'info',
    what: `Consumers without a running lease hold pending ${words.entry[1]}: ${names.join(', ')}.`,
    why: `They are dead, or no ${words.worker[1]} of ours.`,
    remedy: `None is needed: a living ${words.worker[0]} claims them. If it stays so: ${typed('consumers remove NAME')}.`,
  }
}

const retries: WorkCheck = ({ balance, roster, words }) => {
  const [one, many] = words.entry
  const parked = roster.find(({ name }) => name === 'retry')?.pending ?? 0
  const lostOnes = parked - (balance?.retries ?? 0)
  if (lostOnes <= 0) return undefined
  return {
    check: 'retries-lost',
    severity: 'warning',
    what: `${countOf(lostOnes, `${one} waits`, `${many} wait`)} for the next attempt without a time for it.`,
    why: 'Their schedule was deleted.',
    remedy: `None is needed while a ${words.worker[0]} lives: it takes them when a lease time has passed.`,
  }
}

export const lag: WorkCheck = ({ balance }) => {
  if (balance?.lag !== null) return undefined
  const counted = balance.undelivered === null ? 'many' : written(balance.undelivered)
  return {
    check: 'lag-unknown',
    severity: 'info',
    what: `The server cannot tell the group's lag; counted: ${counted}.`,
    why: 'Entries were deleted, or the group began amid the stream.',
    remedy: 'None is needed: it can tell again once the group has caught up.',
  }
}

export const phantomLag: WorkCheck = ({ balance, flow, group, typed }) => {
  const { phantomLag: difference = null } = flow ?? {}
  if (balance === undefined || difference === null || difference === 0) return undefined
  const { lag: told, undelivered } = balance
  return {
    check: 'lag-phantom',
    severity: 'info',
    what: `The server says that ${countOf(told ?? 0, 'entry is', 'entries are')} undelivered, but ${countOf(undelivered ?? 0, 'is', 'are')}.`,
    why: 'Somebody trimmed or deleted entries before they were delivered. Our commands count; who asks the server (XINFO GROUPS) is misled.',
    remedy: isName(group)
      ? `${typed('groups repair-lag')}.`
      : 'None is needed: count, as this command does.',
  }
}

/** All that look at the work on the group. */
export const workChecks: readonly WorkCheck[] = [
  nobodyWorks,
  paused,
  grows,
  stands,
  catchingUp,
  unheld,
  retries,
  lag,
  phantomLag,
]
