import type { Group, Millrace } from 'millrace'
import { written } from 'millrace-ops/terminal'

/** The state of stream and group at one moment. */
export interface Sample {
  /** Milliseconds of a clock that only goes forward. */
  readonly atMs: number
  /** Entries ever appended. */
  readonly added: number
  /** Entries not yet delivered; null when unknown. */
  readonly undelivered: number | null
  readonly pending: number
  readonly deadLetters: number
  readonly isPaused: boolean
}

/** Looks at stream and group. @throws {MillraceError} also when stream or group is gone. */
export async function takeSample(millrace: Millrace, group: Group): Promise<Sample> {
  const [description, added, isPaused] = await Promise.all([
    group.describe(),
    entriesAdded(millrace, group.stream.key),
    group.isPaused(),
  ])
  const { lag: undelivered, pending, deadLetters } = description
  return { atMs: performance.now(), added, undelivered, pending, deadLetters, isPaused }
}

/** What happened between two samples, as one line. */
export function statusLine(before: Sample, now: Sample): string {
  const seconds = (now.atMs - before.atMs) / 1000
  const perSecond = (from: number | null, to: number | null): string =>
    from === null || to === null ? 'unknown' : `${written(Math.round((to - from) / seconds))}/s`
  return [
    `in ${perSecond(before.added, now.added)}`,
    `done ${perSecond(done(before), done(now))}`,
    `lag ${now.undelivered === null ? 'unknown' : written(now.undelivered)}`,
    `pending ${written(now.pending)}`,
    `dead letters ${written(now.deadLetters)}`,
    ...(now.isPaused ? ['paused'] : []),
  ].join('   ')
}

/** Entries that are appended, delivered and acknowledged. */
function done({ added, undelivered, pending }: Sample): number | null {
  return undelivered === null ? null : added - undelivered - pending
}

async function entriesAdded(millrace: Millrace, key: string): Promise<number> {
  const reply = await millrace.send('XINFO', 'STREAM', key)
  if (!Array.isArray(reply)) return Number.NaN
  return Number(reply[reply.indexOf('entries-added') + 1])
}
