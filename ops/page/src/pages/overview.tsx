/** All streams and groups, the worst first. */
import { conditionOf, shapeOf } from '../../../src/console/condition.ts'
import type { View } from '../../../src/console/wire.ts'
import { groupIn, hrefOf } from '../reader/route.ts'
import { useLive } from '../live/use.ts'
import { ShapeMark } from '../parts/icons.tsx'
import { Empty, Loading } from '../parts/states.tsx'
import { count } from '../words/format.ts'
import { groupSentence, tallySentence } from '../words/say.ts'
import { AttentionList } from './attention.tsx'
import { Charts } from './charts.tsx'
import { GroupFigures } from './figures.tsx'
import { GroupsTable } from './groups-table.tsx'

export function Overview({ query }: { query: URLSearchParams }) {
  const { view } = useLive()
  if (view === undefined) return <Loading what="streams and groups" columns={6} />
  const [worst] = view.groups
  if (worst === undefined) return <NoGroups view={view} />
  const wanted = groupIn(query)
  const shown =
    view.groups.find(({ stream, group }) => stream === wanted?.stream && group === wanted.group) ??
    worst
  const place = shown === worst ? `the worst of ${count(view.groups.length)} groups` : 'chosen'
  return (
    <>
      <div class="health">
        <ShapeMark shape={shapeOf[conditionOf(worst)]} size={18} />
        <h1>{groupSentence(worst)}</h1>
        <p>{tallySentence(view)}</p>
      </div>
      <section aria-label={`Figures of ${shown.group}`}>
        <div class="head">
          <h2>
            <a href={hrefOf('/group', { stream: shown.stream, group: shown.group })}>
              {shown.group}
            </a>
          </h2>
          <span class="note">
            on <span class="mono">{shown.stream}</span>,{' '}
            {view.groups.length === 1 ? 'the only group' : place}
          </span>
        </div>
        <GroupFigures group={shown} />
      </section>
      <AttentionList view={view} />
      <GroupsTable view={view} shown={shown} />
      <Charts group={shown} focus={view.focus} />
    </>
  )
}

function NoGroups({ view: { looked } }: { view: View }) {
  return (
    <Empty isWhole title="No group yet">
      <p>
        The console shows streams with a group. It looked at {looked.isComplete ? 'all' : 'a part'}{' '}
        of {count(looked.keys)} keys and found {count(looked.withoutGroup)} streams without a group.
        A group appears here as soon as somebody creates it.
      </p>
      <p>
        <code>npx millrace groups create --stream KEY --group NAME</code>
      </p>
    </Empty>
  )
}
