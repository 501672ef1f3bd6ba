import { MillraceError } from '../support/errors.ts'
import {
  anObject,
  checkOptions,
  checkValue,
  integerFrom,
  finite,
  nonEmpty,
  required,
  text,
  type Rules,
} from '../support/option-values.ts'
import type { Connection } from '../redis/connection.ts'
import { asList, runScript, scripts } from '../scripts/run-script.ts'
import { scriptFailure } from '../scripts/script-failure.ts'

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

export interface RankingPageOptions {
  /** Standings at most, 1 to 1,000. */
  readonly limit: number
  /** Default: from the top. */
  readonly after?: RankingPlace
}

const rules: Rules<RankingPageOptions> = {
  limit: required(integerFrom(1, 1000)),
  after: anObject,
}
const score = required(finite)
const member = required(text)

/** Use {@link Millrace.rankingPage}. */
export async function rankingPage(
  connection: Pick<Connection, 'send'>,
  key: string,
  options: RankingPageOptions,
): Promise<RankingPage> {
  checkValue('read a ranking', 'key', key, required(nonEmpty))
  const action = `read ranking "${key}"`
  checkOptions(action, options, rules)
  const { limit, after } = options
  if (after !== undefined) {
    // It may be a whole standing, with its rank: a page goes on after the last one.
    checkValue(action, 'after.score', after.score, score)
    checkValue(action, 'after.member', after.member, member)
  }
  const place = after === undefined ? [] : [String(after.score), after.member]
  const reply = await runScript(connection, scripts.rankingPage, [key], [String(limit), ...place])
  const [kind, size, first, flat] = reply
  if (kind === 'error') throw problem(key, String(size))
  const values = asList(flat ?? null)
  const standings: Standing[] = []
  for (let at = 0; at < values.length; at += 2) {
    const rank = Number(first) + standings.length + 1
    standings.push({ rank, member: String(values[at]), score: Number(values[at + 1]) })
  }
  const total = Number(size)
  return { total, standings, isMore: Number(first) + standings.length < total }
}

function problem(key: string, code: string): MillraceError {
  const action = `Cannot read ranking "${key}"`
  if (code === 'wrong-type') {
    return new MillraceError(
      'WRONG_TYPE',
      `${action}: the key holds another type. Move that key away or use another one`,
    )
  }
  return scriptFailure(action, code) ?? new MillraceError('REFUSED', `${action}: ${code}`)
}
