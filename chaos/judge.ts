/** Compares how a run ended with what was sent: every entry took effect once or is one dead letter, with a good reason. */
import { Reference } from 'millrace/testing'
import type { CheckinModel } from '../checkin/src/domain/checkins.ts'
import type { History } from './history.ts'
import { hot, type Operation, type Sort } from './operation.ts'

/** What is in Redis when nothing is undelivered or pending any more. */
export interface Ending {
  readonly letters: readonly Letter[]
  readonly hashes: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** The ledger of the group, and of the stream. */
  readonly ledger: Readonly<Record<string, string>>
  readonly streamLedger: Readonly<Record<string, string>>
  /** Entries in the stream. */
  readonly length: number
}

export interface Letter {
  /** Of the entry. */
  readonly id: string
  readonly reason: string
  readonly error: string
}

/** The operations of a run, each in one class (the names are those of Jepsen's total-queue checker). */
export interface Classes {
  /** Confirmed, and took effect once or became the dead letter that it had to become. */
  ok: number
  /** Sent or confirmed, and its effect is missing. */
  lost: number
  /** Not confirmed, and there once all the same: a lost reply. */
  recovered: number
  /** There, and never sent or certainly refused; or a dead letter that should not be. */
  unexpected: number
  /** There or in effect more than once. */
  duplicated: number
  /** Not confirmed, and not there. */
  neverHappened: number
  /** Confirmed, and lost with its effects by a torn append-only file. */
  rolledBack: number
}

const reasonsOf: Readonly<Record<Sort, readonly string[]>> = {
  plain: [],
  stumbling: [],
  poison: ['undecodable'],
  barred: ['refused'],
  failing: ['handler'],
}

/** Adds what is wrong to the violations of the history. */
export function judge(history: History, ending: Ending, model: CheckinModel): Classes {
  const dead = judgeLetters(history, ending.letters)
  judgeAppends(history)
  judgeLedger(history, ending)
  judgeHashes(history, dead, ending.hashes, model)
  return classesOf(history)
}

function judgeLetters(history: History, letters: readonly Letter[]): Set<string> {
  const dead = new Set<string>()
  for (const { id, reason, error } of letters) {
    const operation = history.entries.get(id)
    const what = `dead letter "${reason}": ${error}`
    if (operation === undefined) history.violate('unexpected', `${what}, of no entry`, [id])
    else if (reason === 'lost') history.violate('lost', what, [id])
    else if (!reasonsOf[operation.sort].includes(reason)) {
      history.violate('innocent', `${what}, of a ${operation.sort} entry`, [id])
    }
    if (dead.has(id)) history.violate('duplicated', `a second ${what}`, [id])
    dead.add(id)
  }
  for (const [id, { sort }] of history.entries) {
    if (sort === 'poison' && !dead.has(id)) {
      history.violate('lost', 'cannot be decoded, and is no dead letter', [id])
    }
  }
  return dead
}

function judgeAppends(history: History): void {
  for (const operation of history.operations) {
    const id = history.idOf(operation)
    if (operation.outcome === 'ok' && id === undefined) {
      history.violate('lost', `operation ${operation.number} was confirmed and is not there`)
    }
    if (operation.outcome === 'refused' && id !== undefined) {
      history.violate('unexpected', `operation ${operation.number} was refused`, [id])
    }
  }
}

/** Everything that was appended is in one of the states that the ledger counts, and nowhere twice. */
function judgeLedger(history: History, { ledger, streamLedger, letters, length }: Ending): void {
  const of = (name: string): number => Number(ledger[name] ?? 0)
  const dead = of('deadLettered') - of('redriven')
  const appended = history.entries.size
  const shown = JSON.stringify(ledger)
  if (of('applied') + dead !== appended) {
    history.violate('unbalanced', `${appended} entries, and the ledger has ${shown}`)
  }
  if (dead - of('purged') !== letters.length) {
    history.violate('unbalanced', `${letters.length} dead letters, and the ledger has ${shown}`)
  }
  const trimmed = Number(streamLedger.trimmed ?? 0)
  if (trimmed + length !== appended) {
    const found = `${trimmed} trimmed, ${length} left`
    history.violate('unbalanced', `${appended} entries, and by the ledger of the stream ${found}`)
  }
}

function judgeHashes(
  history: History,
  dead: ReadonlySet<string>,
  hashes: Ending['hashes'],
  model: CheckinModel,
): void {
  const { reference, idsOfUser } = expectationOf(history, dead, model)
  for (const key of new Set([...reference.hashes.keys(), ...hashes.keys()])) {
    const expected = Object.fromEntries(reference.hashes.get(key) ?? [])
    const found = hashes.get(key) ?? {}
    if (isSame(expected, found)) continue
    const more = Number(found.numCheckins ?? 0) - Number(expected.numCheckins ?? 0)
    const kind = more > 0 ? 'duplicated' : more < 0 ? 'lost' : 'wrong'
    const what = `${key} holds ${JSON.stringify(found)}, and ${JSON.stringify(expected)} is right`
    history.violate(kind, what, idsOfUser.get(key) ?? [])
  }
}

/** What the hashes must hold, and the entries of each user who has few. */
function expectationOf(
  history: History,
  dead: ReadonlySet<string>,
  model: CheckinModel,
): { reference: Reference; idsOfUser: Map<string, string[]> } {
  const reference = new Reference(model.checkins, [model.users, model.locations])
  const idsOfUser = new Map<string, string[]>()
  for (const [id, operation] of history.entries) {
    const { userId, locationId, stars } = operation
    if (!isHot(operation)) push(idsOfUser, model.userKey(userId), id)
    if (dead.has(id) || operation.sort === 'poison') continue
    const values = { userId, locationId, starRating: Number(stars) }
    const refused = reference.apply({ id, values, unknown: undefined })
    if (refused !== undefined)
      history.violate('wrong', `the reference refuses it: ${refused}`, [id])
  }
  return { reference, idsOfUser }
}

function classesOf(history: History): Classes {
  // Of a hot user or a location the entry is not known; its number is that of the user's hash.
  const of = (...kinds: string[]): number =>
    history.violations.filter(
      ({ kind, what }) => kinds.includes(kind) && !what.includes(':locations:'),
    ).length
  const count = (isIt: (operation: Operation) => boolean): number =>
    history.operations.filter(isIt).length
  const lost = of('lost')
  const duplicated = of('duplicated')
  const unexpected = of('unexpected', 'innocent', 'wrong')
  const confirmed = count(({ outcome }) => outcome === 'ok')
  return {
    ok: Math.max(0, confirmed - lost - duplicated - unexpected),
    lost,
    recovered: count((each) => each.outcome === 'unknown' && history.idOf(each) !== undefined),
    unexpected,
    duplicated,
    neverHappened: count(
      (each) =>
        each.outcome !== 'ok' && each.outcome !== 'rolled-back' && history.idOf(each) === undefined,
    ),
    rolledBack: count(({ outcome }) => outcome === 'rolled-back'),
  }
}

const isHot = ({ userId }: Operation): boolean => userId <= hot.users

function push(lists: Map<string, string[]>, key: string, item: string): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [item])
  else list.push(item)
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}
