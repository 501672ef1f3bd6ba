/** The six figures of one group. */
import type { GroupView, Moment } from '../../../src/console/wire.ts'
import { line, useLive } from '../live/use.ts'
import { Figure, type FigureProps } from '../parts/figure.tsx'
import { ago, count, rate, span } from '../words/format.ts'
import { Time } from '../parts/time.tsx'
import { isLate, lagText, lettersText } from '../words/say.ts'

type Points = FigureProps['points']
type Series = 1 | 2 | 3 | 4 | 5 | 6

const pointsOf = (moments: readonly Moment[], at: Series): Points =>
  moments.map((one) => [one[0], one[at]] as const)

export function GroupFigures({ group }: { group: GroupView }) {
  const { view } = useLive()
  const stream = view?.streams.find(({ key }) => key === group.stream)
  const moments = line.moments.of(group)
  return (
    <dl class="figs">
      <Flow group={group} stream={stream} moments={moments} />
      <Figure
        label="Lag"
        value={lagText(group)}
        meaning={trendText(group)}
        points={pointsOf(moments, 3)}
        top={10}
      />
      <Figure
        label="Time lag"
        {...valueAndUnit(group.timeLagMs)}
        meaning={timeLagText(group)}
        points={pointsOf(moments, 4)}
        top={2000}
        tone={isLate(group) ? 'warn' : 'neutral'}
      />
      <Figure
        label="Pending"
        value={count(group.pending)}
        meaning={pendingText(group)}
        points={pointsOf(moments, 5)}
        top={10}
      />
      <Figure
        label="Dead letters"
        value={lettersText(group)}
        meaning={<NewestLetter group={group} nowMs={view?.atMs ?? 0} />}
        points={pointsOf(moments, 6)}
        top={4}
        tone="neutral"
      />
    </dl>
  )
}

interface FlowProps {
  readonly group: GroupView
  readonly stream: { readonly inPerSecond: number | null; readonly length: number } | undefined
  readonly moments: readonly Moment[]
}

/** What comes and what is done, to the same scale. */
function Flow({ group: { donePerSecond: done }, stream, moments }: FlowProps) {
  const { inPerSecond: comes, length } = stream ?? { inPerSecond: null, length: 0 }
  const top = Math.max(1, ...moments.map((one) => Math.max(one[1] ?? 0, one[2] ?? 0)))
  return (
    <>
      <Figure
        label="In"
        {...perSecond(comes)}
        meaning={comes === null ? 'known in a second' : `${count(length)} in the stream`}
        points={pointsOf(moments, 1)}
        top={top}
        tone="neutral"
      />
      <Figure
        label="Done"
        {...perSecond(done)}
        meaning={doneText(comes, done)}
        points={pointsOf(moments, 2)}
        top={top}
      />
    </>
  )
}

const perSecond = (value: number | null): { value: string; unit?: string } =>
  value === null ? { value: '—' } : { value: rate(value), unit: '/s' }

function doneText(comes: number | null, done: number | null): string {
  if (comes === null || done === null) return done === null ? 'not known' : ''
  const more = done - comes
  if (Math.abs(more) < Math.max(1, comes / 20)) return 'as many as come'
  return `${rate(Math.abs(more))}/s ${more > 0 ? 'more' : 'fewer'} than come`
}

function trendText({ lag, lagDoubt, growthPerSecond, secondsToCatchUp }: GroupView) {
  if (lag === null)
    return lagDoubt?.why === 'forbidden' ? 'may not be counted' : 'entries were deleted'
  if (lag === 0) return 'nothing waits'
  if (growthPerSecond === null) return 'trend not known yet'
  if (growthPerSecond > 0) return <span class="warn">rising by {rate(growthPerSecond)}/s</span>
  if (secondsToCatchUp === null) return 'steady'
  return (
    <>
      <span class="ok">falling</span>, clear in about{' '}
      {span(Math.ceil(secondsToCatchUp) * 1000).replace('.0', '')}
    </>
  )
}

function timeLagText({ timeLagMs, oldestUndeliveredId }: GroupView) {
  if (timeLagMs === null) return 'ids tell no time'
  if (oldestUndeliveredId === null) return 'all was taken'
  return isLate({ timeLagMs }) ? (
    <span class="warn">since the oldest came</span>
  ) : (
    'since the oldest came'
  )
}

function pendingText({ pending, oldestPendingMs, oldestPending }: GroupView): string {
  if (pending === 0) return 'none is held'
  const who = oldestPending === null ? '' : `, ${oldestPending.consumer}`
  return oldestPendingMs === null ? `oldest${who}` : `oldest ${span(oldestPendingMs)}${who}`
}

function NewestLetter({ group, nowMs }: { group: GroupView; nowMs: number }) {
  const { newestDeadLetter: newest } = group
  if (lettersText(group) === '—') return <>of consumers of Millrace only</>
  if (newest === null) return <>none</>
  if (newest.ageMs === null) return <>newest: {newest.reason}</>
  return (
    <>
      newest <Time ms={nowMs - newest.ageMs}>{ago(newest.ageMs)}</Time>
    </>
  )
}

function valueAndUnit(ms: number | null): { value: string; unit?: string } {
  const [value = '', unit] = span(ms).split(' ')
  return unit === undefined ? { value } : { value, unit }
}
