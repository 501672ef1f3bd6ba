/** Which key does what. No key changes anything in Redis. */
import type { Action } from './view.ts'

/** A key as the terminal tells it. */
export interface Key {
  /** What was typed; empty for keys without a sign. */
  readonly input: string
  readonly name?:
    | 'up'
    | 'down'
    | 'left'
    | 'right'
    | 'page-up'
    | 'page-down'
    | 'home'
    | 'end'
    | 'enter'
    | 'escape'
    | 'tab'
    | 'back-tab'
    | 'backspace'
    | undefined
  readonly isCtrl: boolean
}

/** What is typed fast, or pasted, comes as one text: each sign of it is a key. */
export function singleKeys(key: Key): readonly Key[] {
  if (key.input === '') return [key]
  return Array.from(key.input, (input) => controls[input] ?? { ...key, input })
}

const pressed = (name: Key['name'], input = '', isCtrl = false): Key => ({ input, name, isCtrl })

const controls: Readonly<Record<string, Key>> = {
  '\r': pressed('enter'),
  '\n': pressed('enter'),
  '\t': pressed('tab'),
  '\b': pressed('backspace'),
  '\u007F': pressed('backspace'),
  '\u001B': pressed('escape'),
  '\u0003': pressed(undefined, 'c', true),
}

export const helpKeys: readonly (readonly [keys: string, does: string])[] = [
  ['1 2 3 4, Tab', 'groups, consumers, pending, dead letters'],
  ['Up Down, j k', 'the row before, after; PgUp PgDn, g G: farther'],
  ['Enter', 'open: group, its consumers, what is pending for one, the entry'],
  ['Esc', 'back; first drops the filter'],
  ['/', 'filter: words that a row has to hold; of pending also consumer:w-3 age:>10s userId:12'],
  ['s, S', 'sort by the next column, behind the last one the worst first; S turns it round'],
  ['Space', 'pause the screen, and go on'],
  ['?', 'this help'],
  ['q, Ctrl-C', 'quit'],
]

/** @param isTyping the filter is being typed: then signs are text @param page rows of the screen */
export function actionOf(
  key: Key,
  { isTyping, page }: { isTyping: boolean; page: number },
): Action | 'quit' | null {
  if (key.isCtrl) return key.input === 'c' ? 'quit' : null
  if (isTyping) return typing(key)
  if (key.name !== undefined) return named[key.name](page)
  return Object.hasOwn(signs, key.input) ? (signs[key.input] ?? null) : null
}

function typing({ input, name }: Key): Action | null {
  if (name === 'enter') return { kind: 'keep-filter' }
  if (name === 'escape') return { kind: 'drop-filter' }
  if (name === 'backspace') return { kind: 'erase' }
  // Pasted text comes at once.
  const text = input.replaceAll(/\p{C}/gu, '')
  return name === undefined && text !== '' ? { kind: 'type', text } : null
}

const named: Readonly<Record<NonNullable<Key['name']>, (page: number) => Action>> = {
  up: () => ({ kind: 'move', by: -1 }),
  down: () => ({ kind: 'move', by: 1 }),
  'page-up': (page) => ({ kind: 'move', by: -page }),
  'page-down': (page) => ({ kind: 'move', by: page }),
  home: () => ({ kind: 'move', by: -Infinity }),
  end: () => ({ kind: 'move', by: Infinity }),
  enter: () => ({ kind: 'open' }),
  right: () => ({ kind: 'open' }),
  escape: () => ({ kind: 'back' }),
  left: () => ({ kind: 'back' }),
  backspace: () => ({ kind: 'back' }),
  tab: () => ({ kind: 'next-tab', by: 1 }),
  'back-tab': () => ({ kind: 'next-tab', by: -1 }),
}

const signs: Readonly<Record<string, Action | 'quit'>> = {
  q: 'quit',
  j: { kind: 'move', by: 1 },
  k: { kind: 'move', by: -1 },
  g: { kind: 'move', by: -Infinity },
  G: { kind: 'move', by: Infinity },
  '/': { kind: 'filter' },
  s: { kind: 'sort' },
  S: { kind: 'reverse' },
  ' ': { kind: 'pause' },
  '?': { kind: 'help' },
  1: { kind: 'tab', tab: 'groups' },
  2: { kind: 'tab', tab: 'consumers' },
  3: { kind: 'tab', tab: 'pending' },
  4: { kind: 'tab', tab: 'dead letters' },
}
