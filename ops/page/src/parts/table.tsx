/** A table whose rows are drawn only where they are seen; on a phone, where rows become lists, all that are loaded. */
import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useMedia } from '../reader/settings.ts'

export interface Column<Row> {
  readonly head: ComponentChildren
  readonly cell: (row: Row) => ComponentChildren
  /** Classes of its cells: `n` numbers, `mono`, `hide-s`, `fill`. */
  readonly class?: string
  /** Stands before the value on a phone. */
  readonly label?: string
}

export interface TableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** The key of the row that is chosen. */
  readonly current?: string | undefined
  /** How many rows there are, loaded or not. */
  readonly total?: number
  /** Called when the last loaded row comes into view. */
  readonly onEnd?: (() => void) | undefined
}

/** Rows beyond these are drawn only where they are seen. */
const wholeMax = 100
const aheadRows = 10

export function Table<Row>(props: TableProps<Row>) {
  const isPhone = useMedia('(max-width: 640px)')
  const isVirtual = !isPhone && props.rows.length > wholeMax
  return isVirtual ? <VirtualTable {...props} /> : <WholeTable {...props} isPhone={isPhone} />
}

function WholeTable<Row>({ isPhone, ...props }: TableProps<Row> & { isPhone: boolean }) {
  const { label, rows, onEnd } = props
  return (
    <div class="wrap" tabIndex={0} role="group" aria-label={label}>
      <table
        class="rows"
        role="table"
        aria-label={label}
        aria-rowcount={props.total ?? rows.length}
      >
        <Head columns={props.columns} />
        <tbody role="rowgroup">
          {rows.map((row, at) => (
            <Row key={props.keyOf(row)} {...props} row={row} at={at} />
          ))}
        </tbody>
      </table>
      {onEnd !== undefined && (
        <p class="rowx after">
          <button class="btn" type="button" onClick={onEnd}>
            {isPhone ? 'More' : 'Load more'}
          </button>
        </p>
      )}
    </div>
  )
}

function VirtualTable<Row>(props: TableProps<Row>) {
  const { label, rows, columns, keyOf, current, total = rows.length, onEnd } = props
  const box = useRef<HTMLDivElement>(null)
  const rowHeight = useRowHeight(box)
  const { first, last } = useSeen(box, rowHeight, rows.length)
  useFollow(
    box,
    rowHeight,
    rows.findIndex((row) => keyOf(row) === current),
  )
  useEffect(() => {
    if (last >= rows.length) onEnd?.()
  }, [last >= rows.length, rows.length])
  return (
    <>
      <div class="wrap virtual" ref={box} tabIndex={0} role="group" aria-label={label}>
        <table class="rows" role="table" aria-label={label} aria-rowcount={total}>
          <Head columns={columns} />
          <tbody role="rowgroup">
            <Space height={first * rowHeight} columns={columns.length} />
            {rows.slice(first, last).map((row, at) => (
              <Row key={keyOf(row)} {...props} row={row} at={first + at} />
            ))}
            <Space height={(rows.length - last) * rowHeight} columns={columns.length} />
          </tbody>
        </table>
      </div>
    </>
  )
}

function Head<Row>({ columns }: { columns: readonly Column<Row>[] }) {
  return (
    <thead role="rowgroup">
      <tr role="row">
        {columns.map(({ head, class: classes = '' }, at) => (
          <th key={at} scope="col" role="columnheader" class={headClasses(classes)}>
            {head}
          </th>
        ))}
      </tr>
    </thead>
  )
}

/** Of the classes of a column those that are about its place, not about its letters. */
const headClasses = (classes: string): string =>
  classes
    .split(' ')
    .filter((one) => ['n', 'fill', 'fillspark', 'hide-s'].includes(one))
    .join(' ')

function Row<Row>({
  columns,
  keyOf,
  current,
  row,
  at,
}: TableProps<Row> & { row: Row; at: number }) {
  const isCurrent = current !== undefined && keyOf(row) === current
  return (
    <tr role="row" aria-rowindex={at + 1} {...(isCurrent && { 'aria-current': 'true' as const })}>
      {columns.map(({ cell, class: classes = '', label }, column) => (
        <td key={column} role="cell" class={classes} data-l={label}>
          {cell(row)}
        </td>
      ))}
    </tr>
  )
}

function Space({ height, columns }: { height: number; columns: number }) {
  if (height === 0) return null
  return (
    <tr class="space" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${String(height)}px` }} />
    </tr>
  )
}

/** The rows that are seen, and some around them. */
function useSeen(
  box: { readonly current: HTMLElement | null },
  rowHeight: number,
  size: number,
): { first: number; last: number } {
  const [top, setTop] = useState(0)
  const height = box.current?.clientHeight ?? 640
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const look = (): void => setTop(element.scrollTop)
    element.addEventListener('scroll', look, { passive: true })
    return () => element.removeEventListener('scroll', look)
  }, [])
  const first = Math.max(0, Math.floor(top / rowHeight) - aheadRows)
  const last = Math.min(size, Math.ceil((top + height) / rowHeight) + aheadRows)
  return { first: Math.min(first, Math.max(0, size - 1)), last }
}

/** Keeps the chosen row in view. */
function useFollow(
  box: { readonly current: HTMLElement | null },
  rowHeight: number,
  at: number,
): void {
  useEffect(() => {
    const element = box.current
    if (element === null || at < 0) return
    const top = at * rowHeight
    if (top < element.scrollTop) element.scrollTop = top
    const bottom = top + 2 * rowHeight - element.clientHeight
    if (bottom > element.scrollTop) element.scrollTop = bottom
  }, [at])
}

/** What a row measures: it depends on the pointer and on the size of the letters. */
function useRowHeight(box: { readonly current: HTMLElement | null }): number {
  const [height, setHeight] = useState(34)
  useEffect(() => {
    const row = box.current?.querySelector<HTMLElement>('tbody tr:not(.space)')
    const measured = row?.getBoundingClientRect().height ?? 0
    if (measured > 0) setHeight(measured)
  }, [])
  return height
}
