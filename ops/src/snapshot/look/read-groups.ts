/** What is asked of each group: consumers, leases, ledger, dead letters, and the oldest that waits. */
import { MillraceError } from 'millrace'
import {
  ageOf,
  compareIds,
  groupKeys,
  isName,
  pausesIn,
  rosterIn,
  type ConsumerDescription,
  type Reply,
  type RosterEntry,
} from 'millrace/operate'
import {
  askEach,
  portionsOf,
  type Answer,
  type Answers,
  type Sender,
} from '../../asking/pipeline.ts'
import {
  consumersListed,
  firstQuestions,
  secondQuestions,
  type First,
  type Named,
  type WorkAnswers,
} from './group-questions.ts'
import { whyUnread, type ReadGroup } from './read-streams.ts'
import { idOfOnly, listOf, mapOf, numberIn, textMapOf } from '../../asking/replies.ts'
import type { ConsumerCounts, GroupSnapshot, PendingSnapshot, Unread } from '../snapshot.ts'

/** A group as far as one look tells; what needs two is added later, and what is counted, too. */
export type ReadWork = Omit<
  GroupSnapshot,
  | 'lag'
  | 'lagDoubt'
  | 'timeLagMs'
  | 'state'
  | 'donePerSecond'
  | 'growthPerSecond'
  | 'secondsToCatchUp'
>

/** Groups with so many consumers together are asked about in one go: some 0.2 ms of the server. */
const consumersAtOnce = 1000

/** @param nowMs the server's clock */
export async function readGroups(
  millrace: Sender,
  named: readonly Named[],
  nowMs: number,
): Promise<ReadWork[]> {
  const first: Answers<First>[] = []
  for (const portion of portionsOf(named, ({ group }) => group.consumers, consumersAtOnce)) {
    const questions = portion.map((one) => firstQuestions(one, nowMs))
    first.push(...(await askEach(millrace, questions)))
  }
  const rosters = named.map(({ group }, at) => rosterFrom(group, first[at], nowMs))
  const second = await askEach(
    millrace,
    named.map((one, at) => secondQuestions(one, first[at])),
  )
  const oldest = await oldestOfConsumers(millrace, named, rosters)
  return named.map((one, at) => {
    const answers = { ...first[at], ...second[at] } as WorkAnswers
    return workIn(one, { answers, roster: rosters[at] ?? [], oldest: oldest[at] ?? [], nowMs })
  })
}

/** The oldest pending entry of each consumer. */
async function oldestOfConsumers(
  millrace: Sender,
  named: readonly Named[],
  rosters: readonly (readonly RosterEntry[])[],
): Promise<(PendingSnapshot | null)[][]> {
  const rows = named.flatMap(({ stream, group }, at) =>
    (rosters[at] ?? []).map(({ name, pending }) => ({
      oldest: pending > 0 ? ['XPENDING', stream.key, group.name, '-', '+', '1', name] : undefined,
    })),
  )
  const answers = (await askEach(millrace, rows)).map(({ oldest }) => pendingIn(oldest)[0] ?? null)
  let from = 0
  return rosters.map((roster) => answers.slice(from, (from += roster.length)))
}

function rosterFrom(
  { name }: ReadGroup,
  first: Answers<First> | undefined,
  nowMs: number,
): RosterEntry[] {
  const marks = { leases: textMapOf(first?.leases), holders: textMapOf(first?.holders) }
  const consumers = listOf(first?.consumers).map(consumerIn)
  return rosterIn(consumers, isName(name) ? marks : nobody, nowMs)
}

const nobody = { leases: new Map<string, string>(), holders: new Map<string, string>() }

function consumerIn(reply: Reply): ConsumerDescription {
  const consumer = mapOf(reply)
  return {
    name: String(consumer.get('name')),
    pending: numberIn(consumer.get('pending')) ?? 0,
    idleMs: numberIn(consumer.get('idle')) ?? 0,
  }
}

/** Since 7.2; -1: it never was delivered anything. */
function inactiveOf(consumers: Answer | undefined): ReadonlyMap<string, number> {
  const known = listOf(consumers).flatMap((reply) => {
    const consumer = mapOf(reply)
    const inactive = numberIn(consumer.get('inactive')) ?? -1
    return inactive < 0 ? [] : [[String(consumer.get('name')), inactive] as const]
  })
  return new Map(known)
}

/** The entries in a reply of XPENDING with a range. */
export function pendingIn(answer: Answer | undefined): PendingSnapshot[] {
  return listOf(answer).map((entry) => {
    const [id, consumer, idleMs, deliveries] = listOf(entry)
    const counts = { idleMs: numberIn(idleMs) ?? 0, deliveries: numberIn(deliveries) ?? 0 }
    return { id: String(id), consumer: String(consumer), ...counts }
  })
}

interface Work {
  readonly answers: WorkAnswers
  readonly roster: readonly RosterEntry[]
  readonly oldest: readonly (PendingSnapshot | null)[]
  readonly nowMs: number
}

function workIn({ stream, group }: Named, { answers, roster, oldest, nowMs }: Work): ReadWork {
  const { name, lastDeliveredId, entriesRead, serverLag } = group
  const [oldestPending = null] = pendingIn(answers.pending)
  const pauses = pausesIn(textMapOf(answers.leases), textMapOf(answers.holders))
  const inactive = inactiveOf(answers.consumers)
  const ledger = listOf(answers.ledger)
  const hasLease = [...textMapOf(answers.leases).keys()].some((member) => !member.startsWith('@'))
  const deadLetters = numberIn(answers.letters) ?? 0
  return {
    ...{ stream: stream.key, name, lastDeliveredId, entriesRead, serverLag },
    isManaged: ledger.some((value) => value !== null) || hasLease,
    oldestUndeliveredId: oldestUndelivered({ stream, group }, answers.next),
    pending: group.pending,
    oldestPending,
    oldestPendingMs: oldestPending === null ? null : ageOf(oldestPending.id, nowMs),
    deadLetterStream: isName(name) ? groupKeys(stream.key, name).deadLetters : null,
    deadLetters,
    newestDeadLetter: letterIn(answers.letter, nowMs),
    doneTotal: doneIn(ledger),
    unreadKeys: unreadKeys({ stream, group }, answers),
    pause: pauses.group,
    consumerPauses: pauses.consumers,
    consumers: roster.map((one, at) => ({
      ...one,
      inactiveMs: inactive.get(one.name) ?? null,
      // The same entry has one age, though it was asked for twice.
      oldestPending: oldest[at]?.id === oldestPending?.id ? oldestPending : (oldest[at] ?? null),
      donePerSecond: null,
    })),
    consumerCounts: countsOf(group, roster, answers.alive),
  }
}

/** Those that another type, or a missing right, keeps from telling. */
function unreadKeys({ stream, group }: Named, answers: WorkAnswers): Unread[] {
  if (!isName(group.name)) return []
  const { leases, holders, ledger, deadLetters } = groupKeys(stream.key, group.name)
  const asked: readonly (readonly [string, Answer | undefined])[] = [
    [leases, answers.leases ?? answers.alive],
    [holders, answers.holders],
    [ledger, answers.ledger],
    [deadLetters, answers.letters],
  ]
  return asked.flatMap(([key, answer]) =>
    answer instanceof MillraceError ? [{ key, why: whyUnread(answer) }] : [],
  )
}

function countsOf(
  group: ReadGroup,
  roster: readonly RosterEntry[],
  alive: Answer | undefined,
): ConsumerCounts {
  const many = (is: (one: RosterEntry) => boolean): number => roster.filter(is).length
  if (group.consumers > consumersListed) {
    const living = numberIn(alive) ?? 0
    const { consumers: total } = group
    return { total, alive: living, expired: 0, noLease: total - living, paused: 0 }
  }
  return {
    total: many(({ state }) => state !== 'absent'),
    alive: many(({ state }) => state === 'alive'),
    expired: many(({ state }) => state === 'expired'),
    noLease: many(({ state }) => state === 'no-lease'),
    paused: many(({ isPaused }) => isPaused),
  }
}

/** The first entry that is there behind what was delivered: what was deleted before its delivery never counts. */
function oldestUndelivered({ stream, group }: Named, next: Answer | undefined): string | null {
  const { firstEntryId } = stream
  if (firstEntryId === null) return null
  if (compareIds(group.lastDeliveredId, firstEntryId) < 0) return firstEntryId
  return idOfOnly(next)
}

/** Applied, and made dead letters that are not redriven. Null without a ledger. */
function doneIn([applied, dead, redriven, since]: readonly Reply[]): number | null {
  if (typeof since !== 'string') return null
  return (numberIn(applied) ?? 0) + (numberIn(dead) ?? 0) - (numberIn(redriven) ?? 0)
}

function letterIn(answer: Answer | undefined, nowMs: number): GroupSnapshot['newestDeadLetter'] {
  if (answer instanceof MillraceError) return null
  const id = idOfOnly(answer)
  if (id === null) return null
  const [, flat] = listOf(listOf(answer)[0])
  const letter = mapOf(flat)
  const text = (field: string): string => String(letter.get(field) ?? '')
  return { id, entryId: text('id'), reason: text('reason'), ageMs: ageOf(id, nowMs) }
}
