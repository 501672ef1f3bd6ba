/** Lists that are read page by page. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { ask, AskError, type Query } from './api.ts'

export interface Paged<Page> {
  readonly pages: readonly Page[]
  readonly isLoading: boolean
  readonly error: AskError | undefined
  /** Reads the next page; undefined: there is none, or one is being read. */
  readonly more: (() => void) | undefined
  /** Begins anew. */
  readonly again: () => void
}

/**
 * Reads the first page when path or query change, and each further one when it is asked for.
 * @param behind the name of the parameter that says where a page begins
 */
export function usePages<Page extends { readonly next: string | null }>(
  path: string,
  query: Query,
  behind: string,
): Paged<Page> {
  const [pages, setPages] = useState<readonly Page[]>([])
  const [isLoading, setLoading] = useState(true)
  const [error, setError] = useState<AskError>()
  const [times, setTimes] = useState(0)
  const end = useRef(new AbortController())
  const key = JSON.stringify([path, query, times])
  const read = (before: readonly Page[], next?: string): void => {
    const { signal } = end.current
    setLoading(true)
    setError(undefined)
    ask<Page>(path, { ...query, [behind]: next }, signal).then(
      (page) => {
        setPages([...before, page])
        setLoading(false)
      },
      (failure: unknown) => {
        if (signal.aborted) return
        setLoading(false)
        setError(failure instanceof AskError ? failure : new AskError('UNKNOWN', String(failure)))
      },
    )
  }
  useEffect(() => {
    end.current = new AbortController()
    setPages([])
    read([])
    return () => end.current.abort()
  }, [key])
  const next = pages.at(-1)?.next ?? null
  const more = next === null || isLoading ? undefined : () => read(pages, next)
  return { pages, isLoading, error, more, again: () => setTimes((before) => before + 1) }
}
