/** Makes a snapshot of a look, and of the one before: rates, states, headroom. */
import type { Look, LookedStream } from './look/look.ts'
import { between, inPerSecond, ratesOf, type Between, type Moment } from './rates.ts'
import { stateOf } from './state.ts'
import type { GroupSnapshot, Snapshot, StreamSnapshot, TrimHeadroom } from './snapshot.ts'

/** @param before an earlier look; without one nothing is known about rates. */
export function snapshotOf(now: Look, before?: Look): Snapshot {
  const span = between(before, now)
  return { ...now, streams: now.streams.map((stream) => streamOf(stream, span)) }
}

function streamOf(looked: LookedStream, span: Between | undefined): StreamSnapshot {
  const { front, ...stream } = looked
  const rate = inPerSecond(span, looked)
  const before = span?.before.get(stream.key)
  const groups = new Map(before?.groups.map((group) => [group.name, group]))
  return {
    ...stream,
    inPerSecond: rate,
    trimHeadroom: front === null ? null : headroomOf(front, rate),
    groups: stream.groups.map((group) => {
      const then = groups.get(group.name)
      const earlier = before && then && { group: then, stream: before }
      return groupOf({ group, stream: looked }, earlier, span)
    }),
  }
}

function headroomOf(front: Omit<TrimHeadroom, 'seconds'>, rate: number | null): TrimHeadroom {
  return { ...front, seconds: rate === null || rate === 0 ? null : front.entries / rate }
}

function groupOf(
  now: Moment,
  before: Moment | undefined,
  span: Between | undefined,
): GroupSnapshot {
  const rates = ratesOf(span, now, before)
  return { ...now.group, ...rates, state: stateOf(now.group, rates, before) }
}
