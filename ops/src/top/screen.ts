/** Draws lines on the terminal and hears keys, by ink. Nothing in here knows what the lines say. */
import { Box, render, Text, useInput, type Instance, type Key as InkKey } from 'ink'
import { createElement, type ReactElement } from 'react'
import type { Key } from './keys.ts'
import type { Line, Piece, Tone } from './tabs/table.ts'

export interface ScreenProps {
  readonly lines: readonly Line[]
  readonly isColour: boolean
  /** The same function each time: a new one would be listened to anew. */
  readonly onKey: (key: Key) => void
}

const colours: Readonly<Record<Tone, string | undefined>> = {
  bad: 'red',
  warn: 'yellow',
  good: 'green',
  quiet: undefined,
  plain: undefined,
}

function Screen({ lines, isColour, onKey }: ScreenProps): ReactElement {
  useInput((input, key) =>
    onKey({ input: isSign(key) ? input : '', name: nameOf(key), isCtrl: key.ctrl }),
  )
  const drawn = lines.map((line, at) =>
    createElement(Text, { key: at, wrap: 'truncate' }, textOf(line, isColour)),
  )
  return createElement(Box, { flexDirection: 'column' }, drawn)
}

function textOf(line: Line, isColour: boolean): ReactElement[] | string {
  // An empty text would take no line.
  if (line.every(({ text }) => text === '')) return ' '
  return line.map((piece, at) =>
    createElement(Text, { key: at, ...looks(piece, isColour) }, piece.text),
  )
}

/** Colours are left out where nobody wants them; bold, dim and reversed are none. */
function looks({ tone, isBold = false, isInverse = false }: Piece, isColour: boolean): object {
  const color = isColour ? colours[tone] : undefined
  return {
    bold: isBold,
    inverse: isInverse,
    dimColor: isColour && tone === 'quiet' && !isInverse,
    ...(color !== undefined && { color }),
  }
}

const isSign = (key: InkKey): boolean => nameOf(key) === undefined && !(key.meta && !key.ctrl)

function nameOf(key: InkKey): Key['name'] {
  const names: readonly (readonly [boolean, Key['name']])[] = [
    [key.upArrow, 'up'],
    [key.downArrow, 'down'],
    [key.leftArrow, 'left'],
    [key.rightArrow, 'right'],
    [key.pageUp, 'page-up'],
    [key.pageDown, 'page-down'],
    [key.home, 'home'],
    [key.end, 'end'],
    [key.return, 'enter'],
    [key.escape, 'escape'],
    [key.tab && key.shift, 'back-tab'],
    [key.tab, 'tab'],
    // Most terminals send "delete" for the key that erases to the left.
    [key.backspace || key.delete, 'backspace'],
  ]
  return names.find(([isPressed]) => isPressed)?.[1]
}

/** Draws for the first time; `rerender` of what it returns draws anew. */
export function drawScreen(props: ScreenProps): Instance {
  return render(createElement(Screen, props), {
    exitOnCtrlC: false,
    patchConsole: false,
    // Not incrementalRendering: of ink 6.8 it begins a line too low.
  })
}

export function redrawScreen(instance: Instance, props: ScreenProps): void {
  instance.rerender(createElement(Screen, props))
}
