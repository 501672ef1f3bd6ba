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
import { rankingPage as readPage, type RankingPage, type RankingPlace } from '../scripts/ranking.ts'

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
  return await readPage(connection, key, { limit, after })
}
