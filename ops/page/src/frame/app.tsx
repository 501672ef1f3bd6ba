/** The page: bar, banner, what the address names, foot. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { About } from '../../../src/console/wire.ts'
import type { PagePath } from '../../../src/console/pages.ts'
import { line, useAnswer, useLive } from '../live/use.ts'
import { DeadLetters } from '../pages/group/dead-letters.tsx'
import { Doctor } from '../pages/group/doctor.tsx'
import { Entry } from '../pages/entry.tsx'
import { Consumers } from '../pages/group/consumers.tsx'
import { Missing } from '../pages/missing.tsx'
import { Overview } from '../pages/overview.tsx'
import { Pending } from '../pages/group/pending.tsx'
import { Settings } from '../pages/group/settings.tsx'
import { StreamPage } from '../pages/stream.tsx'
import { Streams } from '../pages/streams.tsx'
import { Banner } from './banner.tsx'
import { Bar } from './bar.tsx'
import { Foot } from './foot.tsx'
import { Help } from './help.tsx'
import { useKeys } from '../reader/keys.ts'
import { go, groupIn, hrefOf, usePlace, type Place } from '../reader/route.ts'
import { nextTheme, toggleClock } from '../reader/settings.ts'

const shown: Readonly<
  Record<PagePath, [title: string, page: (place: Place) => preact.JSX.Element]>
> = {
  '/': ['Overview', ({ query }) => <Overview query={query} />],
  '/group': ['Consumers', ({ query }) => <Consumers query={query} />],
  '/group/pending': ['Pending', ({ query }) => <Pending query={query} />],
  '/group/dead-letters': ['Dead letters', ({ query }) => <DeadLetters query={query} />],
  '/group/doctor': ['Doctor', ({ query }) => <Doctor query={query} />],
  '/group/settings': ['Settings', ({ query }) => <Settings query={query} />],
  '/streams': ['Streams', () => <Streams />],
  '/stream': ['Stream', ({ query }) => <StreamPage query={query} />],
  '/entry': ['Entry', ({ query }) => <Entry query={query} />],
}

export function App() {
  const place = usePlace()
  const [isHelp, setHelp] = useState(false)
  const main = useRef<HTMLElement>(null)
  const about = useAnswer<About>('about', {})
  const known = about.kind === 'answered' ? about.answer : undefined
  const found = Object.hasOwn(shown, place.path) ? shown[place.path as PagePath] : undefined
  const [title, page] = found ?? ['Not found', () => <Missing />]
  const group = groupIn(place.query)
  useEffect(() => line.focus(group), [group?.stream, group?.group])
  useEffect(() => {
    document.title = `${group === undefined ? title : `${title} of ${group.group}`} · Millrace`
  }, [title, group?.group])
  useFocusOnChange(main, place.path)
  usePageKeys(place, () => setHelp(true))
  const skip = (event: Event): void => {
    event.preventDefault()
    main.current?.focus()
  }
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to content
      </a>
      <Bar about={known} place={place} onHelp={() => setHelp(true)} />
      <Banner />
      <main id="main" tabIndex={-1} ref={main}>
        {page(place)}
      </main>
      <Foot about={known} />
      {isHelp && <Help onClose={() => setHelp(false)} />}
    </>
  )
}

/** Who cannot see hears that the page is another one. */
function useFocusOnChange(main: { current: HTMLElement | null }, path: string): void {
  const before = useRef(path)
  useEffect(() => {
    if (before.current === path) return
    before.current = path
    main.current?.focus()
    scrollTo(0, 0)
  }, [path])
}

function usePageKeys({ query }: Place, onHelp: () => void): void {
  const { view } = useLive()
  const group = groupIn(query) ?? view?.groups[0]
  const open = (path: PagePath) => () =>
    go(hrefOf(path, group && { stream: group.stream, group: group.group }))
  useKeys({
    'g o': () => go(hrefOf('/')),
    'g c': open('/group'),
    'g p': open('/group/pending'),
    'g d': open('/group/dead-letters'),
    'g x': open('/group/doctor'),
    'g s': () => go(hrefOf('/streams')),
    'g e': () => go(hrefOf('/entry')),
    ' ': () => line.togglePause(),
    '?': onHelp,
    t: nextTheme,
    u: toggleClock,
    '/': () => document.querySelector<HTMLInputElement>('main input')?.focus(),
  })
}
