/** How entries come and go: the balance looked at twice, and what that says about the lag. */
import { setTimeout as delay } from 'node:timers/promises'
import { ageOf, compareIds, type Balance } from 'millrace/operate'

export interface Flow {
  /** Time between the looks, in seconds of the server's clock. */
  readonly seconds: number
  readonly inPerSecond: number
  /** Applied and made dead letters. */
  readonly donePerSecond: number
  /** By how much what waits, undelivered or pending, grows; negative: it shrinks. */
  readonly growthPerSecond: number
  /** Until nothing waits any more, if it goes on so; null when what waits does not shrink or cannot be counted. */
  readonly secondsToCatchUp: number | null
  /** Ages by the ids against the server's clock; null: there is none, or its id tells no time. */
  readonly oldestUndeliveredMs: number | null
  readonly oldestPendingMs: number | null
  /** Something that was undelivered at the first look still is. */
  readonly isBehind: boolean
  /** By how much the lag that the server tells differs from what is undelivered, at both looks; null: it cannot be told. */
  readonly phantomLag: number | null
  /** Nothing was delivered or settled between the looks. */
  readonly isStanding: boolean
}

/** What a stream that is worked off slowly, one entry in some seconds, takes to show that it is. */
const looksMost = 6

export interface Looks {
  /** The last look. */
  readonly balance: Balance
  readonly flow: Flow
}

/**
 * Looks twice; a few times more where something waits and nothing moves, though somebody `works`.
 * @throws {MillraceError} NO_GROUP, WRONG_TYPE.
 */
export async function lookTwice(
  look: () => Promise<Balance>,
  { everyMs, works }: { readonly everyMs: number; readonly works: boolean },
): Promise<Looks> {
  const first = await look()
  for (let looks = 1; ; looks += 1) {
    await delay(everyMs)
    const balance = await look()
    const flow = flowBetween(first, balance)
    const isPuzzling = works && flow.isBehind && flow.isStanding
    if (!isPuzzling || looks === looksMost) return { balance, flow }
  }
}

function flowBetween(first: Balance, last: Balance): Flow {
  const seconds = Math.max(0.001, (last.atMs - first.atMs) / 1000)
  const perSecond = (many: number): number => many / seconds
  const growth = growthBetween(first, last)
  const { oldestUndeliveredId, oldestPendingId, atMs } = last
  const waits = waitingIn(last)
  // Without a ledger what is done is what came and does not wait.
  const done = last.hasLedger
    ? settledIn(last) - settledIn(first)
    : last.appended - first.appended - growth
  return {
    seconds,
    inPerSecond: perSecond(last.appended - first.appended),
    donePerSecond: perSecond(done),
    growthPerSecond: perSecond(growth),
    secondsToCatchUp: growth < 0 && waits !== null ? waits / perSecond(-growth) : null,
    oldestUndeliveredMs: oldestUndeliveredId === null ? null : ageOf(oldestUndeliveredId, atMs),
    oldestPendingMs: oldestPendingId === null ? null : ageOf(oldestPendingId, atMs),
    isBehind: oldestUndeliveredId !== null && compareIds(oldestUndeliveredId, first.lastId) <= 0,
    phantomLag: phantomIn(first) === phantomIn(last) ? phantomIn(last) : null,
    isStanding: done <= 0 && last.lastDeliveredId === first.lastDeliveredId,
  }
}

/** By counting; where they are too many for that, by the ledger. */
function growthBetween(first: Balance, last: Balance): number {
  const [before, now] = [waitingIn(first), waitingIn(last)]
  if (before !== null && now !== null) return now - before
  return last.appended - settledIn(last) - (first.appended - settledIn(first))
}

const waitingIn = ({ undelivered, pending }: Balance): number | null =>
  undelivered === null ? null : undelivered + pending

const phantomIn = ({ lag, undelivered }: Balance): number | null =>
  lag === null || undelivered === null ? null : lag - undelivered

const settledIn = ({ applied, deadLettered, redriven }: Balance): number =>
  applied + deadLettered - redriven
