/** What a list shows when it has nothing to show: loading, nothing there, nothing found, failed. */
import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { AskError } from '../live/api.ts'
import { Status } from './icons.tsx'

const skeletonAfterMs = 150

/** The shape of a table, once it takes long. */
export function Loading({ what, columns = 4 }: { what: string; columns?: number }) {
  const [isLong, setLong] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), skeletonAfterMs)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div role="status">
      <span class="vh">Loading {what}</span>
      {isLong && (
        <table aria-hidden="true">
          <tbody>
            {[1, 2, 3, 4].map((row) => (
              <tr key={row}>
                {Array.from({ length: columns }, (_, column) => (
                  <td key={column}>
                    <span class={`sk sk-${String((column % 4) + 1)}`} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

export interface EmptyProps {
  readonly title: ComponentChildren
  /** It is all that the page shows; default false. */
  readonly isWhole?: boolean
  readonly children: ComponentChildren
}

export function Empty({ title, isWhole = false, children }: EmptyProps) {
  return (
    <div class="empty">
      {isWhole ? <h1>{title}</h1> : <h3>{title}</h3>}
      {children}
    </div>
  )
}

/** The cause in the server's words. */
export function Failed({
  what,
  error,
  retry,
}: {
  what: string
  error: AskError
  retry: () => void
}) {
  return (
    <div class="banner banner-bad banner-in" role="alert">
      <Status shape="bad">Cannot read {what}</Status>
      <span class="soft">{error.message}</span>
      <span class="grow" />
      <button class="btn" type="button" onClick={retry}>
        Try again
      </button>
    </div>
  )
}
