/** Judges groups by thresholds, or without any by their states. */
import { sentenceOf, worstFirst } from '../snapshot/state.ts'
import type { GroupState, Snapshot } from '../snapshot/snapshot.ts'
import { measures, valueText, type Looked, type Measure, type MeasureName } from './measures.ts'

/** As monitoring systems know it. */
export type Status = 'ok' | 'warning' | 'critical' | 'unknown'

export const exitCodes: Readonly<Record<Status, number>> = {
  ok: 0,
  warning: 1,
  critical: 2,
  unknown: 3,
}

/** From the worst to the best. */
const order: readonly Status[] = ['critical', 'warning', 'unknown', 'ok']

/** From where on it is a warning, or critical: from above, or for what should not get less, below. In the unit of its measure. */
export interface Threshold {
  readonly warn?: number | undefined
  readonly critical?: number | undefined
}

export type Thresholds = Partial<Readonly<Record<MeasureName, Threshold>>>

/** A measure of a group, judged. */
export interface Judged extends Threshold {
  readonly measure: MeasureName
  readonly unit: Measure['unit']
  /** Null: it is not known. */
  readonly value: number | null
  readonly status: Status
  /** In words: `time lag 41.2 s (critical from 30.0 s)`. */
  readonly text: string
}

export interface JudgedGroup {
  readonly stream: string
  readonly group: string
  readonly status: Status
  readonly state: GroupState
  /** How it does, in a sentence. */
  readonly sentence: string
  /** Those that there is a threshold for; the worst first. */
  readonly measures: readonly Judged[]
}

export interface Verdict {
  readonly status: Status
  /** Why nothing could be judged; null when it could. */
  readonly failure: string | null
  /** The worst first. */
  readonly groups: readonly JudgedGroup[]
}

/** Nothing could be judged. */
export const unknownFor = (failure: string): Verdict => ({ status: 'unknown', failure, groups: [] })

const byState: Partial<Readonly<Record<GroupState, Status>>> = {
  nobody: 'critical',
  stuck: 'critical',
  paused: 'warning',
  'falling-behind': 'warning',
  behind: 'warning',
}

export function judge(snapshot: Snapshot, thresholds: Thresholds): Verdict {
  const all = snapshot.streams.flatMap((stream) =>
    stream.groups.map((group) => ({ ...snapshot, stream, group })),
  )
  const groups = all
    .sort((a, b) => worstFirst(a.group, b.group))
    .map((looked) => judgeGroup(looked, thresholds))
  const sorted = groups.sort((a, b) => worse(a.status, b.status))
  return { status: sorted[0]?.status ?? 'unknown', failure: null, groups: sorted }
}

const worse = (a: Status, b: Status): number => order.indexOf(a) - order.indexOf(b)

function judgeGroup(looked: Looked, thresholds: Thresholds): JudgedGroup {
  const { group } = looked
  const judged = measures
    .flatMap((measure) => {
      const threshold = thresholds[measure.name]
      return threshold === undefined ? [] : [judgeMeasure(looked, measure, threshold)]
    })
    .sort((a, b) => worse(a.status, b.status))
  const hasThreshold = judged.length > 0
  return {
    stream: group.stream,
    group: group.name,
    status: (hasThreshold ? judged[0]?.status : byState[group.state]) ?? 'ok',
    state: group.state,
    sentence: sentenceOf(group),
    measures: judged,
  }
}

function judgeMeasure(looked: Looked, measure: Measure, threshold: Threshold): Judged {
  const { name, unit, noun } = measure
  const { value, isAtLeast } = measure.read(looked)
  const status = statusOf(measure, { value, isAtLeast }, threshold)
  const limit = status === 'critical' ? threshold.critical : threshold.warn
  const shown = value === null ? 'unknown' : valueText(value, unit)
  const which = measure.worse === 'more' ? 'from' : 'below'
  const reason =
    (status === 'critical' || status === 'warning') && limit !== undefined
      ? ` (${status} ${which} ${valueText(limit, unit)})`
      : ''
  const text = `${noun} ${isAtLeast ? 'at least ' : ''}${shown}${reason}`
  return { measure: name, unit, value, status, ...threshold, text }
}

function statusOf(
  { worse: direction }: Measure,
  { value, isAtLeast }: ReturnType<Measure['read']>,
  { warn, critical }: Threshold,
): Status {
  if (value === null) return 'unknown'
  const isReached = (limit: number | undefined): boolean =>
    limit !== undefined && (direction === 'more' ? value >= limit : value < limit)
  if (isReached(critical)) return 'critical'
  // It may be more than it is known to be.
  if (isAtLeast && critical !== undefined) return isReached(warn) ? 'warning' : 'unknown'
  if (isReached(warn)) return 'warning'
  return isAtLeast ? 'unknown' : 'ok'
}
