/** Keys of the page: single ones, and pairs that begin with `g`. Off while somebody types. */
import { useEffect } from 'preact/hooks'

export type Keys = Readonly<Record<string, () => void>>

const pairWithinMs = 1200
let pairUntil = 0
const layers: Keys[] = []

/** Listens while the component is there; of two for one key the later one counts. */
export function useKeys(keys: Keys): void {
  useEffect(() => {
    layers.push(keys)
    return () => void layers.splice(layers.indexOf(keys), 1)
  })
}

export function listenForKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (isTyping(event.target) && event.key !== 'Escape') return
    const key = nameOf(event)
    if (key === undefined) return
    const act = layers.toReversed().find((keys) => Object.hasOwn(keys, key))?.[key]
    if (act === undefined) return
    event.preventDefault()
    act()
  })
}

function nameOf({ key, target }: KeyboardEvent): string | undefined {
  if (key === 'g' && performance.now() > pairUntil) {
    pairUntil = performance.now() + pairWithinMs
    return undefined
  }
  const isPair = performance.now() < pairUntil
  pairUntil = 0
  // On a button or a link these two belong to it.
  const isControl = target instanceof Element && target.closest('a, button, summary') !== null
  if (isControl && (key === ' ' || key === 'Enter')) return undefined
  return isPair ? `g ${key}` : key
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
