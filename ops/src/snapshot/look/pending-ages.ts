/** How old the pending entries of a group are. Promise: however many there are, it looks at some thousands, in short steps. */
import { askEach, type Sender } from '../../asking/pipeline.ts'
import { numberIn, listOf } from '../../asking/replies.ts'
import { pendingIn } from './read-groups.ts'
import { clockIn } from './read-server.ts'
import type { PendingAges } from '../snapshot.ts'

/** Pending entries that are looked at. */
const lookedMost = 10_000
/** About 0.2 ms of the server. */
const lookedAtOnce = 500

// Smaller times were chosen by somebody, and are none; those ahead of the clock likewise.
const firstClockMs = Date.UTC(2017, 0, 1)
const aheadMaxMs = 5000

/**
 * Counts the young ones; what is older than they are is the rest, however much it is.
 * @throws {MillraceError} when the server does not answer. Without such a group nothing is pending.
 */
export async function pendingAges(
  millrace: Sender,
  stream: string,
  group: string,
): Promise<PendingAges> {
  const [answers] = await askEach(millrace, [{ time: ['TIME'], all: ['XPENDING', stream, group] }])
  const nowMs = clockIn(answers?.time, undefined)
  const total = numberIn(listOf(answers?.all)[0]) ?? 0
  const untimed = await idsIn(millrace, { stream, group, from: '-', to: `(${firstClockMs}-0` })
  const young = await idsIn(millrace, { stream, group, from: `${nowMs - 60_000}-0`, to: '+' })
  const ages = young.ids.map((id) => nowMs - Number(id.slice(0, id.indexOf('-'))))
  const within = (least: number, most: number): number =>
    ages.filter((age) => age > least && age <= most).length
  const ahead = ages.filter((age) => age < -aheadMaxMs).length
  const isWhole = untimed.isWhole && young.isWhole
  return {
    under1s: within(-aheadMaxMs - 1, 1000),
    under10s: within(1000, 10_000),
    under60s: within(10_000, 60_000),
    over60s: isWhole ? Math.max(0, total - untimed.ids.length - young.ids.length) : 0,
    untimed: untimed.ids.length + ahead,
    isWhole,
  }
}

async function idsIn(
  millrace: Sender,
  range: {
    readonly stream: string
    readonly group: string
    readonly from: string
    readonly to: string
  },
): Promise<{ readonly ids: readonly string[]; readonly isWhole: boolean }> {
  const { stream, group, to } = range
  const ids: string[] = []
  for (let { from } = range; ids.length < lookedMost;) {
    const ask = ['XPENDING', stream, group, from, to, String(lookedAtOnce)]
    const [answers] = await askEach(millrace, [{ some: ask }])
    const some = pendingIn(answers?.some)
    for (const { id } of some) ids.push(id)
    if (some.length < lookedAtOnce) return { ids, isWhole: true }
    from = `(${ids.at(-1) ?? ''}`
  }
  return { ids, isWhole: false }
}
