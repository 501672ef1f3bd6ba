/** The scripts about rankings: how hashes get into one, and how a page of it is read. */
import { asList } from '../redis/replies.ts'
import { checked, runScript, script, type Sender } from './run-script.ts'
import { scriptFailure } from './script-failure.ts'

const rankScript = script('rank')
const rankingPageScript = script('ranking-page')

const otherKey = 'Move that key away or use another one'

/** What changed in rankings, counted over all of them. */
export interface RankOutcome {
  /** Members whose score is set; they may have had it before. */
  readonly ranked: number
  /** Members that were taken out, because their hash or its field is gone. */
  readonly removed: number
}

/** Brings rankings up to date with some hashes, as they are now. @throws {MillraceError} WRONG_TYPE, AUTHENTICATION. */
export async function rank(
  connection: Sender,
  what: {
    /** Each ranking with the field that it follows. */
    readonly rankings: readonly { readonly key: string; readonly field: string }[]
    /** The part of a hash's key that is its member, as string.sub of Lua takes it. */
    readonly memberRange: readonly [from: number, to: number]
    /** Keys of hashes. */
    readonly hashes: readonly string[]
  },
): Promise<RankOutcome> {
  const { rankings, memberRange, hashes } = what
  const rankingKeys = rankings.map(({ key }) => key)
  const args = [...memberRange.map(String), ...rankings.map(({ field }) => field)]
  const reply = await runScript(connection, rankScript, [...rankingKeys, ...hashes], args)
  const action = `Cannot rank into "${rankingKeys.join('", "')}"`
  const wrongType = { state: 'one of these keys holds another type', remedy: otherKey }
  const [, ranked, removed] = checked(reply, (code) => scriptFailure(action, code, wrongType))
  return { ranked: Number(ranked), removed: Number(removed) }
}

/** A place in a ranking. */
export interface Standing {
  /** From 1, the highest score; equal scores have different ranks, by descending bytes of the member. */
  readonly rank: number
  readonly member: string
  readonly score: number
}

/** Where a page begins: after the place that a member has, or had, with that score. */
export interface RankingPlace {
  readonly score: number
  readonly member: string
}

export interface RankingPage {
  /** Members in the ranking. */
  readonly total: number
  readonly standings: readonly Standing[]
  /** Whether there are more after these. */
  readonly isMore: boolean
}

/**
 * Reads a page of a ranking; a missing one is empty.
 * @param what.after the place behind which it begins; default: the top
 * @throws {MillraceError} WRONG_TYPE, AUTHENTICATION.
 */
export async function rankingPage(
  connection: Sender,
  key: string,
  what: { readonly limit: number; readonly after?: RankingPlace | undefined },
): Promise<RankingPage> {
  const { limit, after } = what
  const behind = after === undefined ? [] : [String(after.score), after.member]
  const reply = await runScript(connection, rankingPageScript, [key], [String(limit), ...behind])
  const wrongType = { state: 'the key holds another type', remedy: otherKey }
  const [, size, first, flat] = checked(reply, (code) =>
    scriptFailure(`Cannot read ranking "${key}"`, code, wrongType),
  )
  const values = asList(flat ?? null)
  const standings: Standing[] = []
  for (let at = 0; at < values.length; at += 2) {
    const rank = Number(first) + standings.length + 1
    standings.push({ rank, member: String(values[at]), score: Number(values[at + 1]) })
  }
  const total = Number(size)
  return { total, standings, isMore: Number(first) + standings.length < total }
}
