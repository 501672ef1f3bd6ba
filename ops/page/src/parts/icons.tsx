/** The shapes in front of words, and the marks on buttons. */
import type { ComponentChildren } from 'preact'
import type { Shape } from '../../../src/console/condition.ts'

const colours: Readonly<Record<Shape, string>> = {
  bad: 'bad',
  warn: 'warn',
  off: 'off',
  unknown: 'un',
  ok: 'ok',
}

export function ShapeMark({ shape, size = 12 }: { shape: Shape; size?: number }) {
  return (
    <svg class={colours[shape]} width={size} height={size} viewBox="0 0 14 14" aria-hidden="true">
      {drawn[shape]}
    </svg>
  )
}

const drawn: Readonly<Record<Shape, ComponentChildren>> = {
  bad: <path d="M4.3 .8h5.4l3.5 3.5v5.4l-3.5 3.5H4.3L.8 9.7V4.3Z" fill="currentColor" />,
  warn: <path d="M7 1.2 13.4 12.6H.6Z" fill="currentColor" />,
  off: <path d="M3.2 2h2.8v10H3.2zM8 2h2.8v10H8z" fill="currentColor" />,
  unknown: (
    <path d="M7 1.4 12.6 7 7 12.6 1.4 7Z" fill="none" stroke="currentColor" stroke-width="1.6" />
  ),
  ok: <circle cx="7" cy="7" r="4.5" fill="currentColor" />,
}

/** Shape, word and colour. */
export function Status({ shape, children }: { shape: Shape; children: ComponentChildren }) {
  return (
    <span class={`st st-${colours[shape]}`}>
      <ShapeMark shape={shape} />
      {children}
    </span>
  )
}

const paths = {
  copy: 'M6 6h7.5v7.5H6zM3 10H2.5V2.5H10V3',
  close: 'm4 4 8 8M12 4l-8 8',
  down: 'm4.5 6.5 3.5 3.5 3.5-3.5',
} as const

export function Mark({ name, size = 14 }: { name: keyof typeof paths; size?: number }) {
  return (
    <Stroke size={size}>
      <path d={paths[name]} />
    </Stroke>
  )
}

export function SearchMark() {
  return (
    <Stroke size={14}>
      <circle cx="7" cy="7" r="4.5" />
      <path d="m10.5 10.5 3.5 3.5" />
    </Stroke>
  )
}

function Stroke({ size, children }: { size: number; children: ComponentChildren }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  )
}

export function ThemeMark() {
  return (
    <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" />
      <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
    </svg>
  )
}

export function Wheel() {
  return (
    <svg
      width="18"
      height="18"
      viewBox="0 0 18 18"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      aria-hidden="true"
    >
      <circle cx="9" cy="7" r="4.6" />
      <path d="M9 2.4v9.2M4.4 7h9.2M1.5 15c1.5-1.4 3-1.4 4.5 0s3 1.4 4.5 0 3-1.4 4.5 0" />
    </svg>
  )
}
