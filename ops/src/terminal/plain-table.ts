/** Tables without lines around their cells: what stands there can be copied, cut and searched. */
import Table from 'cli-table3'

export interface PlainTableOptions {
  readonly head: readonly string[]
  /** Of each column, default left. */
  readonly aligns?: readonly ('left' | 'right')[]
  /** The names of the columns stand out. */
  readonly isColour: boolean
}

export function plainTable(rows: readonly string[][], options: PlainTableOptions): string {
  const table = new Table({
    head: [...options.head],
    chars: noLines,
    style: {
      head: options.isColour ? ['bold'] : [],
      border: [],
      'padding-left': 0,
      'padding-right': 2,
    },
    colAligns: [...(options.aligns ?? [])],
  })
  table.push(...rows)
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

const noLines = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle']
    .flatMap((place) => [place, `${place}-mid`, `${place}-left`, `${place}-right`])
    .concat('left-mid', 'mid-mid', 'right-mid')
    .map((place) => [place, '']),
)
