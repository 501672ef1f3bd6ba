import { isoOf, moment, timeOfDay } from '../words/format.ts'
import { useClock } from '../reader/settings.ts'

/** A moment in few words, with its absolute form to the millisecond. */
export function Time({ ms, children }: { ms: number; children: string }) {
  const clock = useClock()
  const iso = isoOf(ms)
  if (iso === '') return <span>{children}</span>
  return (
    <time dateTime={iso} title={moment(ms, clock)}>
      {children}
    </time>
  )
}

/** `14:32:07 UTC`, or without the zone. */
export function TimeOfDay({ ms, isZoned = true }: { ms: number; isZoned?: boolean }) {
  const clock = useClock()
  return isoOf(ms) === '' ? (
    <span>—</span>
  ) : (
    <Time ms={ms}>{timeOfDay(ms, clock, { isZoned })}</Time>
  )
}

/** The whole form. */
export function Moment({ ms }: { ms: number }) {
  const clock = useClock()
  return isoOf(ms) === '' ? <span>—</span> : <Time ms={ms}>{moment(ms, clock)}</Time>
}
