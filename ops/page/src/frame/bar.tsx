/** The bar at the top: where we are, the pages, and how fresh all of it is. */
import type { About } from '../../../src/console/wire.ts'
import type { PagePath } from '../../../src/console/pages.ts'
import { line, useLive, useNow } from '../live/use.ts'
import { staleAfterMs, type LiveState } from '../live/live.ts'
import { ShapeMark, ThemeMark, Wheel } from '../parts/icons.tsx'
import { TimeOfDay } from '../parts/time.tsx'
import type { Shape } from '../../../src/console/condition.ts'
import { attentionOf } from '../words/attention.ts'
import { count, span, timeOfDay } from '../words/format.ts'
import { groupIn, hrefOf, type Place } from '../reader/route.ts'
import { nextTheme, toggleClock, useClock, useTheme } from '../reader/settings.ts'

export function Bar({ about, place, onHelp }: BarProps) {
  return (
    <header class="top">
      <div class="bar">
        <a class="brand" href={hrefOf('/')}>
          <Wheel />
          <span>Millrace</span>
        </a>
        <Environment name={about?.environment ?? null} />
        <Pages place={place} />
        <span class="grow" />
        <ConnectionPill />
        <ClockButton />
        <ThemeButton />
        <button
          class="quiet icon"
          type="button"
          aria-label="Keys and help"
          title="Keys and help (?)"
          onClick={onHelp}
        >
          ?
        </button>
      </div>
    </header>
  )
}

interface BarProps {
  readonly about: About | undefined
  readonly place: Place
  readonly onHelp: () => void
}

function Environment({ name }: { name: string | null }) {
  if (name === null) return null
  const isProduction = /^prod/i.test(name)
  return <span class={`env ${isProduction ? 'env-prod' : ''}`}>{name.toUpperCase()}</span>
}

function Pages({ place: { path, query } }: { place: Place }) {
  const { view } = useLive()
  const todo = view === undefined ? 0 : attentionOf(view).length
  const [worst] = view?.groups ?? []
  const group = groupIn(query) ?? worst
  const ofGroup = group && { stream: group.stream, group: group.group }
  const is = (...paths: readonly PagePath[]) =>
    paths.some((one) => one === path) ? { 'aria-current': 'page' as const } : {}
  return (
    <nav class="nav" aria-label="Pages">
      <a href={hrefOf('/')} {...is('/')}>
        Overview {todo > 0 && <span class="count">{count(todo)}</span>}
      </a>
      <a
        href={hrefOf('/group', ofGroup)}
        {...is('/group', '/group/pending', '/group/dead-letters', '/group/settings')}
      >
        Groups
      </a>
      <a href={hrefOf('/streams')} {...is('/streams', '/stream')}>
        Streams
      </a>
      <a href={hrefOf('/entry')} {...is('/entry')}>
        Entry
      </a>
      <a href={hrefOf('/group/doctor', ofGroup)} {...is('/group/doctor')}>
        Doctor
      </a>
    </nav>
  )
}

function ConnectionPill() {
  const now = useNow()
  const { clock, state } = { clock: useClock(), state: useLive() }
  const { shape, word, more } = said(state, now, clock)
  const label = state.connection === 'paused' ? 'Go on with the live view' : 'Pause the live view'
  return (
    <button
      class="quiet live"
      type="button"
      title={`${label} (Space)`}
      onClick={() => line.togglePause()}
    >
      <ShapeMark shape={shape} size={10} />
      <span>
        <span class="vh">Connection: </span>
        {word} <span class="dim">{more}</span>
      </span>
    </button>
  )
}

function said(
  { connection, since, cameAt, view }: LiveState,
  now: number,
  clock: Parameters<typeof timeOfDay>[1],
): { shape: Shape; word: string; more: string } {
  const sinceText = span(Math.max(0, Date.now() - since))
  if (connection === 'paused') return { shape: 'off', word: 'Paused', more: sinceText }
  if (connection === 'connecting') return { shape: 'unknown', word: 'Connecting', more: '' }
  if (connection === 'reconnecting') return { shape: 'warn', word: 'Reconnecting', more: sinceText }
  if (connection === 'offline')
    return {
      shape: 'bad',
      word: 'Offline',
      more: `since ${timeOfDay(since, clock, { isZoned: false })}`,
    }
  const age = Math.max(0, now - cameAt)
  if (view === undefined || age > staleAfterMs)
    return { shape: 'warn', word: 'Stale', more: view ? span(age) : '' }
  return { shape: 'ok', word: 'Live', more: `${(age / 1000).toFixed(1)} s` }
}

function ClockButton() {
  const { view } = useLive()
  const clock = useClock()
  const other = clock === 'utc' ? 'local time' : 'UTC'
  if (view === undefined) return null
  return (
    <button
      class="quiet hide-s"
      type="button"
      title={`Switch to ${other} (u)`}
      onClick={toggleClock}
    >
      <TimeOfDay ms={view.atMs} />
    </button>
  )
}

function ThemeButton() {
  const theme = useTheme()
  return (
    <button
      class="quiet icon hide-s"
      type="button"
      aria-label={`Theme: ${theme}`}
      title={`Theme: ${theme} (t)`}
      onClick={nextTheme}
    >
      <ThemeMark />
    </button>
  )
}
