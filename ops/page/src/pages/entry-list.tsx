/** A list of entries that is read page by page, with one of them beside it. */
import type { ComponentChildren } from 'preact'
import type { Paged } from '../live/pages.ts'
import { Failed, Loading } from '../parts/states.tsx'
import { Table, type Column } from '../parts/table.tsx'
import { useKeys } from '../reader/keys.ts'
import { setQuery } from '../reader/route.ts'
import { EntryDrawer } from './entry-drawer.tsx'

export interface EntryListProps<Row extends { readonly id: string }> {
  /** What it lists: `pending entries`. */
  readonly what: string
  readonly stream: string
  readonly paged: Paged<unknown>
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  /** How many there are, loaded or not. */
  readonly total?: number
  /** The id of the one beside the list. */
  readonly chosen: string | undefined
  readonly atMs: number
  /** Stands in its place where there is nothing. */
  readonly empty: ComponentChildren
  readonly foot: ComponentChildren
}

export function EntryList<Row extends { readonly id: string }>(props: EntryListProps<Row>) {
  const { what, paged, rows, chosen, empty } = props
  const { isLoading, error, again } = paged
  useRowKeys(rows, chosen)
  const isBare = rows.length === 0
  return (
    <>
      {error !== undefined && <Failed what={what} error={error} retry={again} />}
      {isBare && isLoading && <Loading what={what} />}
      {isBare && !isLoading && error === undefined && empty}
      {!isBare && <Filled {...props} />}
    </>
  )
}

function Filled<Row extends { readonly id: string }>(props: EntryListProps<Row>) {
  const { what, stream, paged, rows, columns, total, chosen, atMs, foot } = props
  return (
    <div class={chosen === undefined ? '' : 'split'}>
      <div>
        <Table
          label={what}
          columns={columns}
          rows={rows}
          keyOf={({ id }) => id}
          current={chosen}
          {...(total !== undefined && { total })}
          onEnd={paged.more}
        />
        <div class="virtual-foot">{foot}</div>
      </div>
      {chosen !== undefined && (
        <EntryDrawer stream={stream} id={chosen} atMs={atMs} onClose={close} />
      )}
    </div>
  )
}

const close = (): void => setQuery({ entry: undefined })

/** `j` and `k` walk on, also with the drawer open. */
function useRowKeys(rows: readonly { readonly id: string }[], chosen: string | undefined): void {
  const at = rows.findIndex(({ id }) => id === chosen)
  const walk = (step: number) => () => {
    const next = rows[at < 0 ? 0 : at + step]
    if (next !== undefined) setQuery({ entry: next.id })
  }
  useKeys({ j: walk(1), k: walk(-1), Escape: close })
}
