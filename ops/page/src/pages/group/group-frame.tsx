/** What stands above each tab of a group: its name, how it does, and the tabs. */
import type { ComponentChildren } from 'preact'
import type { PagePath } from '../../../../src/console/pages.ts'
import type { GroupName, GroupView } from '../../../../src/console/wire.ts'
import { useKeys } from '../../reader/keys.ts'
import { go, groupIn, hrefOf } from '../../reader/route.ts'
import { useLive } from '../../live/use.ts'
import { Empty, Loading } from '../../parts/states.tsx'
import { count } from '../../words/format.ts'
import { howItIs } from '../../words/say.ts'
import { State } from '../groups-table.tsx'

export interface OfGroup {
  readonly group: GroupView
  /** Clock of the server, of the snapshot that the group is from. */
  readonly atMs: number
}

export interface GroupFrameProps {
  readonly query: URLSearchParams
  readonly tab: PagePath
  /** The sentence; default: how the group is. */
  readonly say?: (of: OfGroup) => string
  /** At the right of the name. */
  readonly end?: (of: OfGroup) => ComponentChildren
  readonly children: (of: OfGroup) => ComponentChildren
}

export function GroupFrame({ query, tab, say, end, children }: GroupFrameProps) {
  const { view } = useLive()
  const wanted = groupIn(query)
  if (wanted === undefined || view === undefined) return <Loading what="the group" />
  const group = view.groups.find(
    ({ stream, group }) => stream === wanted.stream && group === wanted.group,
  )
  if (group === undefined) return <NoGroup {...wanted} />
  const of = { group, atMs: view.atMs }
  return (
    <>
      <div class="crumbs">
        <a href={hrefOf('/')}>Groups</a>
        <span aria-hidden="true">/</span>
        <a class="mono" href={hrefOf('/stream', { stream: wanted.stream })}>
          {wanted.stream}
        </a>
      </div>
      <div class="title">
        <h1>{wanted.group}</h1>
        <State {...of} />
        {!group.isManaged && <span class="dim">foreign</span>}
        <GroupSwitch groups={view.groups} now={wanted} tab={tab} />
        {end && <span class="end">{end(of)}</span>}
      </div>
      <p class="said">{say === undefined ? `${capital(howItIs(group))}.` : say(of)}</p>
      <Tabs group={group} tab={tab} />
      {children(of)}
    </>
  )
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

const tabs = [
  ['/group', 'Consumers'],
  ['/group/pending', 'Pending'],
  ['/group/dead-letters', 'Dead letters'],
  ['/group/doctor', 'Doctor'],
  ['/group/settings', 'Settings'],
] as const satisfies readonly (readonly [PagePath, string])[]

function Tabs({ group, tab }: { group: GroupView; tab: PagePath }) {
  const name = { stream: group.stream, group: group.group }
  const move = (step: number) => () => {
    const at = tabs.findIndex(([path]) => path === tab)
    const next = tabs[at + step]
    if (next !== undefined) go(hrefOf(next[0], name))
  }
  useKeys({ '[': move(-1), ']': move(1) })
  const counts: Partial<Record<PagePath, number>> = {
    '/group': group.consumerCounts.total,
    '/group/pending': group.pending,
    '/group/dead-letters': group.deadLetters,
  }
  return (
    <nav class="tabs" aria-label={`Tabs of ${group.group}`}>
      {tabs.map(([path, label]) => (
        <a
          key={path}
          href={hrefOf(path, name)}
          {...(path === tab && { 'aria-current': 'page' as const })}
        >
          {label} {counts[path] !== undefined && <span class="count">{count(counts[path])}</span>}
        </a>
      ))}
    </nav>
  )
}

function GroupSwitch({
  groups,
  now,
  tab,
}: {
  groups: readonly GroupView[]
  now: GroupName
  tab: PagePath
}) {
  if (groups.length < 2) return null
  const choose = (value: string): void => {
    const [stream = '', group = ''] = JSON.parse(value) as string[]
    go(hrefOf(tab, { stream, group }))
  }
  return (
    <label class="quiet hide-s">
      Switch
      <select
        class="switch"
        aria-label="Switch group"
        value={JSON.stringify([now.stream, now.group])}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        {groups.slice(0, 500).map(({ stream, group }) => (
          <option key={`${stream} ${group}`} value={JSON.stringify([stream, group])}>
            {group} on {stream}
          </option>
        ))}
      </select>
    </label>
  )
}

function NoGroup({ stream, group }: GroupName) {
  return (
    <Empty
      isWhole
      title={
        <>
          There is no group <code>{group}</code> on stream <code>{stream}</code>
        </>
      }
    >
      <p>It may have been removed, or its stream. What there is stands in the overview.</p>
      <p>
        <a href={hrefOf('/')}>See all groups</a>
      </p>
    </Empty>
  )
}
