/** Below the bar: what keeps the figures from being fresh. */
import { line, useLive, useNow } from '../live/use.ts'
import { staleAfterMs } from '../live/live.ts'
import { Status } from '../parts/icons.tsx'
import { span } from '../words/format.ts'
import { TimeOfDay } from '../parts/time.tsx'

export function Banner() {
  const now = useNow()
  const { connection, view, cameAt, since, trouble } = useLive()
  const age = view === undefined ? undefined : Math.max(0, now - cameAt)
  const old =
    age === undefined
      ? 'nothing was read yet'
      : `figures are ${span(Math.floor(age / 1000) * 1000)} old`
  if (connection === 'reconnecting' || connection === 'offline') {
    return (
      <div class="banner" role="status">
        <Status shape="warn">{connection === 'offline' ? 'Offline' : 'Reconnecting'}</Status>
        <span class="soft">
          The page lost the console at <TimeOfDay ms={since} />; {old}. It tries again by itself.
        </span>
        <span class="grow" />
        <button class="btn" type="button" onClick={() => line.retry()}>
          Try now
        </button>
      </div>
    )
  }
  if (trouble !== undefined) {
    return (
      <div class="banner banner-bad" role="status">
        <Status shape="bad">Redis does not answer</Status>
        <span class="soft">
          {trouble.message} <span class="nowrap">{old}.</span>
        </span>
      </div>
    )
  }
  if (connection !== 'live' || age === undefined || age <= staleAfterMs) return null
  return (
    <div class="banner" role="status">
      <Status shape="warn">Stale {span(Math.floor(age / 1000) * 1000)}</Status>
      <span class="soft">
        The console has told nothing new: Redis answers slowly, or not at all.
      </span>
    </div>
  )
}
