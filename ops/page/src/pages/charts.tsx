/** The last minutes of a group, and its consumers beside them. */
import { useMemo } from 'preact/hooks'
import type { ConsumerSnapshot, Focus, GroupView, Moment } from '../../../src/console/wire.ts'
import { hrefOf } from '../reader/route.ts'
import { line, useLive } from '../live/use.ts'
import { Chart, type Line } from '../parts/chart.tsx'
import { Status } from '../parts/icons.tsx'
import { consumerShape, consumerWord, worstConsumersFirst } from '../words/consumers.ts'
import { count, rate, span } from '../words/format.ts'

const flowLines: readonly Line[] = [
  { label: 'in', tone: 'neutral', isDashed: true },
  { label: 'done', tone: 'accent', isFilled: true },
]
const lagLines: readonly Line[] = [{ label: 'time lag', tone: 'warn' }]

export function Charts({ group, focus }: { group: GroupView; focus: Focus | null }) {
  const { cameAt } = useLive()
  const moments = line.moments.of(group)
  const flow = useMemo(() => dataOf(moments, (one) => [one[1], one[2]]), [cameAt, moments])
  const lag = useMemo(() => dataOf(moments, (one) => [seconds(one[4])]), [cameAt, moments])
  const isFocus = focus?.stream === group.stream && focus.group === group.group
  return (
    <section class="trio" aria-label={`Charts and consumers of ${group.group}`}>
      <Chart
        title="In and done, per second"
        lines={flowLines}
        data={flow}
        top={5}
        sentence={flowSentence(moments)}
        write={rate}
      />
      <Chart
        title="Time lag, seconds"
        lines={lagLines}
        data={lag}
        top={2}
        sentence={lagSentence(moments)}
        write={(value) => (value === null ? '—' : span(value * 1000))}
      />
      {isFocus && <Consumers group={group} consumers={focus.consumers} />}
    </section>
  )
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

/** Columns as uPlot takes them; where nobody looked for a while the line is broken. */
function dataOf(
  moments: readonly Moment[],
  valuesOf: (moment: Moment) => readonly (number | null)[],
): (number | null)[][] {
  const rows = moments.flatMap((one, at) => {
    const row = [one[0] / 1000, ...valuesOf(one)]
    const before = moments[at - 1]
    const isGap = before !== undefined && one[0] - before[0] > 10_000
    return isGap ? [[one[0] / 1000 - 1, ...row.slice(1).map(() => null)], row] : [row]
  })
  const columns = valuesOf([0, null, null, null, null, 0, 0]).length + 1
  return Array.from({ length: columns }, (_, column) => rows.map((row) => row[column] ?? null))
}

function flowSentence(moments: readonly Moment[]): string {
  const done = moments.flatMap((one) => one[2] ?? [])
  if (done.length === 0) return 'How much is done is not known.'
  const now = done.at(-1) ?? 0
  const [least, most] = [rate(Math.min(...done)), rate(Math.max(...done))]
  return least === most
    ? `${rate(now)}/s done all the time.`
    : `Now ${rate(now)}/s done; from ${least}/s to ${most}/s in this time.`
}

function lagSentence(moments: readonly Moment[]): string {
  const lags = moments.flatMap((one) => one[4] ?? [])
  if (lags.length === 0) return 'The time lag is not known.'
  return `Now ${span(lags.at(-1) ?? 0)}; at most ${span(Math.max(...lags))} in this time.`
}

const shownMax = 8

function Consumers({
  group,
  consumers,
}: {
  group: GroupView
  consumers: readonly ConsumerSnapshot[]
}) {
  const shown = [...consumers].sort(worstConsumersFirst).slice(0, shownMax)
  const most = Math.max(1, ...consumers.map(({ donePerSecond }) => donePerSecond ?? 0))
  return (
    <div>
      <div class="head">
        <h3>Consumers</h3>
        <span class="note">done/s, pending</span>
        <span class="end">
          <a href={hrefOf('/group', { stream: group.stream, group: group.group })}>
            All {count(group.consumerCounts.total)}
          </a>
        </span>
      </div>
      {shown.length === 0 && <p class="soft">No consumer is there.</p>}
      <div class="wrap" tabIndex={0} role="group" aria-label="Consumers">
        <table aria-label="Consumers" role="table">
          <tbody>
            {shown.map((consumer) => (
              <tr key={consumer.name}>
                <td>
                  <Status shape={consumerShape(consumer, group)}>{consumer.name}</Status>
                </td>
                <td class="fill">
                  <Bar share={(consumer.donePerSecond ?? 0) / most} />
                </td>
                <td class="n">
                  {consumer.donePerSecond === null
                    ? consumerWord(consumer, group).toLowerCase()
                    : `${rate(consumer.donePerSecond)}/s`}
                </td>
                <td class="n">{count(consumer.pending)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  )
}

function Bar({ share }: { share: number }) {
  return (
    <svg class="bar-h" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <path class="t" d="M0 0h100v8H0z" />
      <path class="b" d={`M0 0h${(100 * share).toFixed(1)}v8H0z`} />
    </svg>
  )
}
