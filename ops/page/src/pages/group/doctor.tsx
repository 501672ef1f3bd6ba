/** What is wrong with server, stream and group, why it matters, and what helps. */
import type { Shape } from '../../../../src/console/condition.ts'
import type { Examination } from '../../../../src/console/wire.ts'
import { groupIn } from '../../reader/route.ts'
import { useAnswer } from '../../live/use.ts'
import { Status } from '../../parts/icons.tsx'
import { CommandLine } from '../../parts/copy.tsx'
import { Empty, Failed, Loading } from '../../parts/states.tsx'
import { TimeOfDay } from '../../parts/time.tsx'
import { countOf } from '../../words/format.ts'
import { GroupFrame } from './group-frame.tsx'

type Finding = Examination['diagnosis']['findings'][number]

const severities: Readonly<Record<Finding['severity'], readonly [Shape, string]>> = {
  problem: ['bad', 'Problem'],
  warning: ['warn', 'Warning'],
  info: ['unknown', 'Note'],
}

export function Doctor({ query }: { query: URLSearchParams }) {
  return (
    <GroupFrame query={query} tab="/group/doctor">
      {() => <Findings query={query} />}
    </GroupFrame>
  )
}

function Findings({ query }: { query: URLSearchParams }) {
  const asked = useAnswer<Examination>('doctor', { ...groupIn(query) })
  if (asked.kind === 'loading') {
    return (
      <>
        <p class="soft" role="status">
          The doctor looks twice, a second apart, at what waits …
        </p>
        <Loading what="findings" columns={2} />
      </>
    )
  }
  if (asked.kind === 'failed')
    return <Failed what="findings" error={asked.error} retry={asked.retry} />
  const { diagnosis, atMs } = asked.answer
  return (
    <section aria-labelledby="h-doc">
      <div class="head">
        <h2 id="h-doc">Doctor</h2>
        <span class="note">
          {tally(diagnosis.findings)}; examined <TimeOfDay ms={atMs} />
        </span>
        <span class="end">
          <button class="btn" type="button" onClick={asked.retry}>
            Examine again
          </button>
        </span>
      </div>
      {diagnosis.findings.length === 0 ? (
        <Empty title="Nothing is wrong">
          <p>Server, stream and group were examined.</p>
        </Empty>
      ) : (
        <ul class="find">
          {diagnosis.findings.map((finding, at) => (
            <Shown key={at} {...finding} />
          ))}
        </ul>
      )}
    </section>
  )
}

function tally(findings: readonly Finding[]): string {
  const size = (severity: Finding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length
  const told = [
    [size('problem'), 'problem'],
    [size('warning'), 'warning'],
    [size('info'), 'note'],
  ] as const
  const parts = told.filter(([many]) => many > 0).map(([many, one]) => countOf(many, one))
  return parts.length === 0 ? 'no findings' : parts.join(', ')
}

/** Commands stand in quotes in the remedies. */
const commandIn = (remedy: string): string | undefined => /"((?:npx|npm) [^"]+)"/.exec(remedy)?.[1]

function Shown({ severity, what, why, remedy }: Finding) {
  const [shape, word] = severities[severity]
  const command = commandIn(remedy)
  return (
    <li>
      <Status shape={shape}>{word}</Status>
      <div>
        <p class="what">{what}</p>
        <dl>
          <dt>Why</dt>
          <dd>{why}</dd>
          <dt>Do</dt>
          <dd>{remedy}</dd>
        </dl>
        {command !== undefined && <CommandLine line={command} />}
      </div>
    </li>
  )
}
