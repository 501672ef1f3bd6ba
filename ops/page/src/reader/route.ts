/** Where the reader is: the address names the page and all that it shows, so that it can be sent to somebody. */
import { useEffect, useState } from 'preact/hooks'
import type { GroupName } from '../../../src/console/wire.ts'
import type { PagePath } from '../../../src/console/pages.ts'
import { base, queryText, type Query } from '../live/api.ts'

export interface Place {
  /** Without the place where the console is mounted: `/group/pending`. */
  readonly path: string
  readonly query: URLSearchParams
}

const changed = new EventTarget()

function here(): Place {
  const { pathname, search } = location
  const path = pathname.slice(base.length).replace(/\/$/, '')
  return { path: path === '' ? '/' : path, query: new URLSearchParams(search) }
}

export const hrefOf = (path: PagePath, query: Query = {}): string =>
  `${base}${path}${queryText(query)}`

/** Goes there, as by a link. */
export function go(href: string): void {
  history.pushState(null, '', href)
  changed.dispatchEvent(new Event('change'))
}

/** Changes the query of this page, without a step to go back to. */
export function setQuery(change: Query): void {
  const query = { ...Object.fromEntries(new URLSearchParams(location.search)), ...change }
  history.replaceState(null, '', `${location.pathname}${queryText(query)}`)
  changed.dispatchEvent(new Event('change'))
}

export function usePlace(): Place {
  const [place, setPlace] = useState(here)
  useEffect(() => {
    const look = (): void => setPlace(here())
    changed.addEventListener('change', look)
    addEventListener('popstate', look)
    return () => {
      changed.removeEventListener('change', look)
      removeEventListener('popstate', look)
    }
  }, [])
  return place
}

/** The group that the address names. */
export function groupIn(query: URLSearchParams): GroupName | undefined {
  const stream = query.get('stream')
  const group = query.get('group')
  return stream === null || group === null ? undefined : { stream, group }
}

/** Follows links to pages of the console without loading the page again. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null
    if (link === null || event.defaultPrevented || !isPlain(event) || !isOurs(link)) return
    event.preventDefault()
    if (link.href !== location.href) go(link.href)
  })
}

/** Whether a click follows a link here, and opens no other tab. */
export const isPlain = ({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean =>
  button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey

const isOurs = ({ origin, pathname, download, hash }: HTMLAnchorElement): boolean =>
  origin === location.origin &&
  pathname.startsWith(`${base}/`) &&
  !pathname.startsWith(`${base}/api/`) &&
  download === '' &&
  hash === ''
