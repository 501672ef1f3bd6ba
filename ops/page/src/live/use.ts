/** Hooks of the page on what the console tells. */
import { useEffect, useReducer, useRef, useState } from 'preact/hooks'
import { ask, AskError, type Query } from './api.ts'
import { LiveLine, type LiveState } from './live.ts'

export const line = new LiveLine()

/** The newest state; the component is drawn again with each change. */
export function useLive(): LiveState {
  const [, redraw] = useReducer((times: number) => times + 1, 0)
  useEffect(() => line.subscribe(() => redraw(undefined)), [])
  return line.state
}

/** Draws again so often, in milliseconds. @returns `performance.now()`. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(performance.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

export type Asked<Answer> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly error: AskError; readonly retry: () => void }
  | { readonly kind: 'answered'; readonly answer: Answer; readonly retry: () => void }

/**
 * Asks when the address or the query changes; what was answered before stays until then.
 * @param path undefined: asks nothing
 */
export function useAnswer<Answer>(path: string | undefined, query: Query): Asked<Answer> {
  const [state, setState] = useState<{ key: string; asked: Asked<Answer> }>()
  const [times, setTimes] = useState(0)
  const key = JSON.stringify([path, query])
  const retry = useRef(() => setTimes((before) => before + 1)).current
  useEffect(() => {
    if (path === undefined) return
    const end = new AbortController()
    ask<Answer>(path, query, end.signal).then(
      (answer) => setState({ key, asked: { kind: 'answered', answer, retry } }),
      (error: unknown) => {
        if (end.signal.aborted) return
        const told = error instanceof AskError ? error : new AskError('UNKNOWN', String(error))
        setState({ key, asked: { kind: 'failed', error: told, retry } })
      },
    )
    return () => end.abort()
  }, [key, times])
  return state?.key === key ? state.asked : { kind: 'loading' }
}
