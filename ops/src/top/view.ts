/** What the person who looks has chosen, and how a key changes it. Pure: no key reaches Redis from here. */
import { withoutLast } from '../terminal/fit.ts'
import { tabs, type Opened, type Row, type Scope, type Sorting, type Tab } from './tabs/rows.ts'

/** One step of the way in: Esc leads back to the one before. */
export interface Level {
  readonly tab: Tab
  readonly scope: Scope | null
  /** Key of the row under the mark; null: the first. */
  readonly selected: string | null
  /** The entry or letter that is shown with all it holds, in the place of the table. */
  readonly entry: string | null
  /** Rows that hold these words are shown. */
  readonly filter: string
}

export interface View {
  /** The last one is shown. */
  readonly levels: readonly Level[]
  /** What is being typed as the filter; null: nothing is. */
  readonly draft: string | null
  readonly sortings: Readonly<Partial<Record<Tab, Sorting>>>
  readonly isPaused: boolean
  readonly isHelp: boolean
  /** Lines that the help or an entry is moved up by. */
  readonly scrolled: number
}

export type Action =
  | { readonly kind: 'move'; readonly by: number }
  | { readonly kind: 'tab'; readonly tab: Tab }
  | { readonly kind: 'next-tab'; readonly by: 1 | -1 }
  | { readonly kind: 'type'; readonly text: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'back' }
  /** Begins to type the filter; `type` and `erase` go on, the other two end it. */
  | { readonly kind: 'filter' }
  | { readonly kind: 'erase' }
  | { readonly kind: 'keep-filter' }
  | { readonly kind: 'drop-filter' }
  | { readonly kind: 'sort' }
  | { readonly kind: 'reverse' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'help' }

const outermost: Level = { tab: 'groups', scope: null, selected: null, entry: null, filter: '' }

/** @param scope the group that was asked for */
export const firstView = (scope: Scope | null): View => ({
  levels: [
    outermost,
    ...(scope === null ? [] : [{ ...outermost, tab: 'consumers', scope } as const]),
  ],
  draft: null,
  sortings: {},
  isPaused: false,
  isHelp: false,
  scrolled: 0,
})

export const levelOf = ({ levels }: Pick<View, 'levels'>): Level => levels.at(-1) ?? outermost

/** What stands on the screen while a key is pressed. */
export interface Shown {
  readonly rows: readonly Row[]
  /** So many columns they can be sorted by. */
  readonly columns: number
  /** So many lines of the help or an entry can be moved up. */
  readonly scrollMax: number
}

/** The view after a key. */
export function after(view: View, action: Action, shown: Shown): View {
  // By the type of `steps` each kind has a step for what it brings.
  const step = steps[action.kind] as (view: View, action: Action, shown: Shown) => View
  return step(view, action, shown)
}

type Step<Kind extends Action['kind']> = (
  view: View,
  action: Extract<Action, { kind: Kind }>,
  shown: Shown,
) => View

const steps: { readonly [Kind in Action['kind']]: Step<Kind> } = {
  move: (view, { by }, shown) => moved(view, by, shown),
  tab: (view, { tab }) => switched(view, tab),
  'next-tab': (view, { by }) => {
    const at = tabs.indexOf(levelOf(view).tab) + by
    return switched(view, tabs[(at + tabs.length) % tabs.length] ?? 'groups')
  },
  type: (view, { text }) => ({ ...view, draft: (view.draft ?? '') + text }),
  open: (view, _, { rows }) => opened(view, selectedOf(view, rows)?.opens ?? null),
  back: (view) => back(view),
  filter: (view) =>
    levelOf(view).entry === null && !view.isHelp ? { ...view, draft: levelOf(view).filter } : view,
  erase: (view) => ({ ...view, draft: withoutLast(view.draft ?? '') }),
  'keep-filter': (view) => {
    const filter = (view.draft ?? '').trim()
    return { ...onLevel(view, { filter, selected: null }), draft: null }
  },
  'drop-filter': (view) => ({ ...onLevel(view, { filter: '', selected: null }), draft: null }),
  sort: (view, _, { columns }) => sorted(view, columns),
  reverse: (view) =>
    withSorting(view, ({ isReversed, ...by }) => ({ ...by, isReversed: !isReversed })),
  pause: (view) => ({ ...view, isPaused: !view.isPaused }),
  help: (view) => ({ ...view, isHelp: !view.isHelp, scrolled: 0 }),
}

/** The filter that counts now: also the one that is being typed. */
export const filterOf = (view: View): string => view.draft ?? levelOf(view).filter

/** The row under the mark: the first where none is chosen, or the chosen one is gone. */
export function selectedOf(view: Pick<View, 'levels'>, rows: readonly Row[]): Row | undefined {
  const { selected } = levelOf(view)
  return rows.find(({ key }) => key === selected) ?? rows[0]
}

function onLevel(view: View, change: Partial<Level>): View {
  return { ...view, levels: [...view.levels.slice(0, -1), { ...levelOf(view), ...change }] }
}

function moved(view: View, by: number, { rows, scrollMax }: Shown): View {
  if (view.isHelp || levelOf(view).entry !== null) {
    return { ...view, scrolled: Math.max(0, Math.min(scrollMax, view.scrolled + by)) }
  }
  const now = selectedOf(view, rows)
  const at = now === undefined ? 0 : rows.indexOf(now)
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))]
  return next === undefined ? view : onLevel(view, { selected: next.key })
}

/** A tab is about the same group as the one before. */
function switched(view: View, tab: Tab): View {
  const { scope } = levelOf(view)
  const level: Level = { ...outermost, tab, scope }
  if (tab === 'groups') return { ...view, levels: [outermost], scrolled: 0 }
  const below = view.levels.filter((each) => each.entry === null).slice(0, -1)
  const kept = levelOf(view).tab === 'groups' ? [outermost] : below
  return { ...view, levels: [...kept, level], scrolled: 0 }
}

function opened(view: View, opens: Opened | null): View {
  if (opens === null || view.isHelp || levelOf(view).entry !== null) return view
  const { tab, scope, entry = null } = opens
  return { ...view, levels: [...view.levels, { ...outermost, tab, scope, entry }], scrolled: 0 }
}

function back(view: View): View {
  if (view.isHelp) return { ...view, isHelp: false, scrolled: 0 }
  if (levelOf(view).filter !== '') return onLevel(view, { filter: '' })
  if (view.levels.length === 1) return view
  return { ...view, levels: view.levels.slice(0, -1), scrolled: 0 }
}

/** By the next column, and behind the last one the worst first again. */
function sorted(view: View, columns: number): View {
  return withSorting(view, ({ column }) => {
    const next = column === undefined ? 0 : column + 1
    return { isReversed: false, ...(next < columns && { column: next }) }
  })
}

export const sortingOf = (view: View): Sorting =>
  view.sortings[levelOf(view).tab] ?? { isReversed: false }

function withSorting(view: View, change: (sorting: Sorting) => Sorting): View {
  const { tab } = levelOf(view)
  return { ...view, sortings: { ...view.sortings, [tab]: change(sortingOf(view)) } }
}
