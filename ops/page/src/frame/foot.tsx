import type { About } from '../../../src/console/wire.ts'
import { useLive } from '../live/use.ts'
import { TimeOfDay } from '../parts/time.tsx'
import { count } from '../words/format.ts'

/** At the end of each page: of what server and moment it is. */
export function Foot({ about }: { about: About | undefined }) {
  const { view } = useLive()
  return (
    <footer class="foot">
      {view !== undefined && (
        <span>
          Snapshot of <TimeOfDay ms={view.atMs} />
        </span>
      )}
      {about !== undefined && <span class="mono">{about.url}</span>}
      {view?.server && (
        <span>
          {view.server.product} {view.server.version}
        </span>
      )}
      {view !== undefined && !view.looked.isComplete && (
        <span>Looked at a part of {count(view.looked.keys)} keys</span>
      )}
      {about !== undefined && <span>Millrace {about.version}</span>}
      <span class="hide-s">
        Press <kbd>?</kbd> for keys
      </span>
    </footer>
  )
}
