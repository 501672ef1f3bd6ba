/** How charts look, by day and by night: the reader's browser chooses. */
import { element, escaped, text } from './element.ts'

export const width = 880

/** Where the content of a chart begins, below its heading. */
export const contentTop = 78

const day = {
  ...{ back: '#ffffff', edge: '#d8dee6', ink: '#1c2430', faint: '#5f6b7a', grid: '#e8ecf1' },
  ...{ ours: '#1d63d8', ours1: '#1d63d8', ours2: '#12a3a0', ours3: '#7a4fd0' },
  ...{ peer: '#b3bcc8', peer1: '#d97b16', peer2: '#8a95a3', peer3: '#c2417c', peer4: '#6f8f2f' },
  ...{ floor: '#e3e8ee', bad: '#c03b34', good: '#2b8a4b' },
}

const night: typeof day = {
  ...{ back: '#12171f', edge: '#2c3542', ink: '#e8edf4', faint: '#97a3b3', grid: '#232b37' },
  ...{ ours: '#5a9bff', ours1: '#5a9bff', ours2: '#2fd0c8', ours3: '#ab8bff' },
  ...{ peer: '#5b6777', peer1: '#f2a04a', peer2: '#9aa6b5', peer3: '#ef7fb0', peer4: '#a9c95f' },
  ...{ floor: '#2b3542', bad: '#ff8078', good: '#62cf86' },
}

type Colour = keyof typeof day

/** The class that draws with this colour: `fill-…` for areas, `line-…` for strokes. */
export function fill(colour: Colour): string {
  return `fill-${colour}`
}

export function stroke(colour: Colour): string {
  return `line-${colour}`
}

/** Colours of lines, in the order in which they are given out. */
export const lineColours = {
  ours: ['ours1', 'ours2', 'ours3'],
  peers: ['peer1', 'peer2', 'peer3', 'peer4'],
} as const satisfies Record<string, readonly Colour[]>

interface Sheet {
  readonly title: string
  readonly subtitle: string
  readonly height: number
  /** What the picture shows, for those who cannot see it. */
  readonly description: string
}

/** The whole document: background, heading, content. */
export function sheet({ title, subtitle, height, description }: Sheet, content: string[]): string {
  const box = { x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 10 }
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
    },
    element('title', {}, escaped(title)),
    element('desc', {}, escaped(description)),
    `<style>${styles()}</style>`,
    element('rect', { ...box, class: 'card' }),
    text(28, 40, 'title', title),
    text(28, 61, 'small', subtitle),
    ...content,
  )
  return `${root}\n`
}

function styles(): string {
  return [
    'text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:13px}',
    '.title{font-size:18px;font-weight:650}.small{font-size:12px}.strong{font-weight:650}',
    '.head{font-size:13px;font-weight:600}.number{font-variant-numeric:tabular-nums}',
    'path,line{fill:none}',
    colours(day),
    `@media (prefers-color-scheme:dark){${colours(night)}}`,
  ].join('')
}

function colours(palette: typeof day): string {
  const { back, edge, ink, faint } = palette
  return [
    `.card{fill:${back};stroke:${edge}}`,
    `text{fill:${ink}}.small{fill:${faint}}`,
    ...Object.entries(palette).map(
      ([name, value]) => `.fill-${name}{fill:${value}}.line-${name}{stroke:${value}}`,
    ),
  ].join('')
}
