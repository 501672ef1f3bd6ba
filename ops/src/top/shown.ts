/** What the view asks for, of what is seen: which rows, of which group, and what has to be asked for them. */
import type { GroupSnapshot, Snapshot } from '../snapshot/snapshot.ts'
import { worstFirst } from '../snapshot/state.ts'
import { consumersTab } from './tabs/consumers.ts'
import { isFilter, type Wanted } from './details.ts'
import type { Seen } from './feed.ts'
import { groupsTab } from './tabs/groups.ts'
import { lettersTab } from './tabs/letters.ts'
import { pendingTab } from './tabs/pending.ts'
import { chosen, type Row, type Scope, type TabRows } from './tabs/rows.ts'
import { filterOf, levelOf, sortingOf, type View } from './view.ts'

export interface ShownRows extends TabRows {
  /** Before the filter. */
  readonly all: number
  readonly rows: readonly Row[]
  /** What the tab is about; null: all there is. */
  readonly scope: Scope | null
}

/** The rows on the screen, filtered and sorted. */
export function rowsOf(view: View, seen: Seen): ShownRows {
  const scope = scopeOf(view, seen.snapshot)
  const tab = tabOf(view, seen, scope)
  const filter = filterOf(view)
  const isAsked = levelOf(view).tab === 'pending' && isFilter(filter)
  const rows = chosen(tab.rows, isAsked ? '' : filter, sortingOf(view))
  return { ...tab, rows, all: tab.rows.length, scope }
}

/** Pending entries and letters are of one group: of the open one, else of the worst that has any. */
function scopeOf(view: View, snapshot: Snapshot | null): Scope | null {
  const { tab, scope } = levelOf(view)
  if (scope !== null || tab === 'groups' || tab === 'consumers') return scope
  const groups = groupsOf(snapshot).filter((group) =>
    tab === 'pending' ? group.pending > 0 : group.deadLetters > 0,
  )
  const [worst] = groups.sort(worstFirst)
  return worst === undefined ? null : { stream: worst.stream, group: worst.name }
}

const groupsOf = (snapshot: Snapshot | null): GroupSnapshot[] =>
  (snapshot?.streams ?? []).flatMap(({ groups }) => groups)

const nothing: TabRows = { columns: [], rows: [], empty: '', more: null }

function tabOf(view: View, seen: Seen, scope: Scope | null): TabRows {
  const { snapshot } = seen
  const { tab } = levelOf(view)
  if (snapshot === null) return { ...nothing, empty: seen.trouble === null ? 'Asking ...' : '' }
  if (tab === 'groups') return groupsTab(snapshot)
  if (tab === 'consumers') return consumersTab(snapshot, scope)
  if (scope === null) return { ...nothing, empty: emptyTexts[tab] }
  return detailTab(view, { ...seen, snapshot }, scope)
}

/** What was asked for beside the snapshot, once it is there. */
function detailTab(
  view: View,
  { snapshot, detail, detailTrouble }: Seen & { readonly snapshot: Snapshot },
  scope: Scope,
): TabRows {
  if (detailTrouble !== null) return { ...nothing, empty: detailTrouble }
  const isThere = detail !== null && isSame(detail.of, wantedOf(view, snapshot))
  if (!isThere) return { ...nothing, empty: 'Asking ...' }
  if (detail.kind === 'pending') return pendingTab(detail.scan, scope)
  if (detail.kind !== 'letters') return nothing
  const total = groupsOf(snapshot).find((each) => isOf(each, scope))?.deadLetters ?? 0
  return lettersTab({ letters: detail.letters, total, nowMs: snapshot.atMs }, scope)
}

const emptyTexts = {
  pending: 'Nothing is pending in any group.',
  'dead letters': 'No group has dead letters.',
}

const isOf = (group: GroupSnapshot, scope: Scope): boolean =>
  group.stream === scope.stream && group.name === scope.group

/** What has to be asked for beside the snapshot. */
export function wantedOf(view: View, snapshot: Snapshot | null): Wanted | null {
  const { tab, entry } = levelOf(view)
  const scope = scopeOf(view, snapshot)
  if (scope === null) return null
  if (tab === 'pending') {
    if (entry !== null) return { kind: 'entry', scope, id: entry }
    const filter = filterOf(view)
    return { kind: 'pending', scope, filter: isFilter(filter) ? filter : '' }
  }
  if (tab !== 'dead letters') return null
  return entry === null ? { kind: 'letters', scope } : { kind: 'letter', scope, id: entry }
}

export const isSame = (a: Wanted | null, b: Wanted | null): boolean =>
  JSON.stringify(a) === JSON.stringify(b)
