/**
 * Brings rankings up to date with hashes that something else than a consumer has written. Promise: each script call reads
 * and writes in one step, so it may run while consumers do.
 */
import { isEncodedInKeys } from '../declare/fields.ts'
import { readTemplate } from '../declare/key-template.ts'
import { planOf, type Plan } from '../declare/plan.ts'
import type { Projection } from '../declare/projection.ts'
import { checkValue, listOf, required, text } from '../support/option-values.ts'
import { keyOfMember, memberRange } from '../declare/ranking.ts'
import type { Connection } from '../redis/connection.ts'
import type { Stream } from '../declare/stream.ts'
import { asList } from '../redis/replies.ts'
import { rank, type RankOutcome } from '../scripts/ranking.ts'

type Sender = Pick<Connection, 'send'>

// About 1 ms of the server.
const hashesAtOnce = 500
const pageSize = '1000'
const keyList = required(listOf(text))

/** Use {@link Millrace.rankHashes}. */
export async function rankHashes(
  connection: Sender,
  declared: Stream,
  projection: Projection,
  keys: readonly string[],
): Promise<RankOutcome> {
  checkValue('rank hashes', 'the list of keys', keys, keyList)
  return await rankAll(connection, planOf(projection, declared), keys)
}

/** Use {@link Millrace.rebuildRankings}. */
export async function rebuildRankings(
  connection: Sender,
  declared: Stream,
  projection: Projection,
): Promise<RankOutcome> {
  const plan = planOf(projection, declared)
  const outcomes: RankOutcome[] = []
  if (plan.rankings.length === 0) return { ranked: 0, removed: 0 }
  const isHashKey = keyPattern(projection, declared)
  const match = ['MATCH', globOf(projection), 'TYPE', 'hash']
  for await (const found of pages(connection, (cursor) => ['SCAN', cursor, ...match])) {
    const keys = found.filter((key) => isHashKey.test(key))
    outcomes.push(await rankAll(connection, plan, keys))
  }
  for (const { key } of plan.rankings) {
    // Members and scores in turn.
    for await (const found of pages(connection, (cursor) => ['ZSCAN', key, cursor])) {
      const members = found.filter((_, at) => at % 2 === 0)
      const keys = members.map((member) => keyOfMember(plan.key, member))
      outcomes.push({ ranked: 0, removed: (await rankAll(connection, plan, keys)).removed })
    }
  }
  return total(outcomes)
}

async function rankAll(
  connection: Sender,
  plan: Plan,
  keys: readonly string[],
): Promise<RankOutcome> {
  const { rankings } = plan
  const outcomes: RankOutcome[] = []
  if (rankings.length === 0) return total(outcomes)
  for (let at = 0; at < keys.length; at += hashesAtOnce) {
    const hashes = keys.slice(at, at + hashesAtOnce)
    const what = { rankings, memberRange: memberRange(plan.key), hashes }
    outcomes.push(await rank(connection, what))
  }
  return total(outcomes)
}

const total = (outcomes: readonly RankOutcome[]): RankOutcome => ({
  ranked: outcomes.reduce((sum, { ranked }) => sum + ranked, 0),
  removed: outcomes.reduce((sum, { removed }) => sum + removed, 0),
})

async function* pages(
  connection: Sender,
  command: (cursor: string) => string[],
): AsyncGenerator<string[]> {
  let cursor = '0'
  do {
    const reply = asList(await connection.send([...command(cursor), 'COUNT', pageSize]))
    yield asList(reply[1] ?? null).map(String)
    cursor = String(reply[0])
  } while (cursor !== '0')
}

/** What SCAN is asked for: keys of this shape, and some others. */
function globOf({ template }: Projection): string {
  const { literals } = readTemplate(template)
  return literals.map((literal) => literal.replace(/[*?[\]\\^]/g, '\\$&')).join('*')
}

/** The keys that the projection can make, and no others. */
function keyPattern({ template }: Projection, { fields }: Stream): RegExp {
  const { literals, names } = readTemplate(template)
  const parts = literals.map((literal, at) => {
    const escaped = literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    const name = names[at]
    if (name === undefined) return escaped
    // Text stands as `encodeURIComponent` leaves it.
    const field = fields[name]
    const isText = field !== undefined && isEncodedInKeys(field)
    return escaped + (isText ? "[A-Za-z0-9%._~!*'()-]*" : '(?:0|-?[1-9][0-9]*)')
  })
  return new RegExp(`^${parts.join('')}$`)
}
