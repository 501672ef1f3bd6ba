/** What the reader has chosen for this browser: clock and theme. */
import { useEffect, useState } from 'preact/hooks'
import type { Clock } from '../words/format.ts'

export type Theme = 'system' | 'light' | 'dark'

const themes: readonly Theme[] = ['system', 'light', 'dark']
const changed = new EventTarget()

/** A browser may keep nothing for us; then the choice lasts as long as the page. */
const kept = new Map<string, string>()

function read(name: string): string | undefined {
  try {
    return localStorage.getItem(`millrace.${name}`) ?? kept.get(name)
  } catch {
    return kept.get(name)
  }
}

function keep(name: string, value: string): void {
  kept.set(name, value)
  try {
    localStorage.setItem(`millrace.${name}`, value)
  } catch {
    // It is kept for this page.
  }
  changed.dispatchEvent(new Event('change'))
}

const clockNow = (): Clock => (read('clock') === 'local' ? 'local' : 'utc')
const themeNow = (): Theme => themes.find((theme) => theme === read('theme')) ?? 'system'

export const toggleClock = (): void => keep('clock', clockNow() === 'utc' ? 'local' : 'utc')

/** System, light, dark, and again. */
export function nextTheme(): void {
  const next = themes[(themes.indexOf(themeNow()) + 1) % themes.length] ?? 'system'
  keep('theme', next)
  applyTheme()
}

export function applyTheme(): void {
  const theme = themeNow()
  if (theme === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
}

function useChoice<Choice>(now: () => Choice): Choice {
  const [choice, setChoice] = useState(now)
  useEffect(() => {
    const look = (): void => setChoice(now)
    changed.addEventListener('change', look)
    return () => changed.removeEventListener('change', look)
  }, [])
  return choice
}

export const useClock = (): Clock => useChoice(clockNow)
export const useTheme = (): Theme => useChoice(themeNow)

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const look = (): void => setMatches(media.matches)
    look()
    media.addEventListener('change', look)
    return () => media.removeEventListener('change', look)
  }, [query])
  return matches
}
