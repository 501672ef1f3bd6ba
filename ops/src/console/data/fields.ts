/** Fields of entries as they are shown: long values cut, masked ones hidden. */
import type { DeadLetter } from 'millrace/operate'
import type { ShownField, ShownLetter } from '../wire.ts'

export type Pairs = readonly (readonly [name: string, value: string])[]

/** How much of each value is shown: in a list, or of one entry. */
export const listedMax = 200
export const wholeMax = 20_000
const errorMax = 4000

export class Fields {
  readonly #masked: ReadonlySet<string>

  /** @param masked names of fields whose values nobody is shown. */
  constructor(masked: readonly string[]) {
    this.#masked = new Set(masked)
  }

  shown(pairs: Pairs, valueMax: number): ShownField[] {
    return pairs.map(([name, value]) => {
      const isMasked = this.#masked.has(name)
      return { name, value: isMasked ? '' : cut(value, valueMax), length: value.length, isMasked }
    })
  }

  letter({ fields, ...letter }: DeadLetter, valueMax: number): ShownLetter {
    return { ...letter, error: cut(letter.error, errorMax), fields: this.shown(fields, valueMax) }
  }

  /** Whole, but for what is masked: for a file. */
  exported(letter: DeadLetter): DeadLetter {
    const fields = letter.fields.map(
      ([name, value]) => [name, this.#masked.has(name) ? '••••' : value] as const,
    )
    return { ...letter, fields }
  }
}

/** Without cutting a character in two. */
const cut = (text: string, max: number): string =>
  text.length <= max ? text : text.slice(0, max).replace(/[\ud800-\udbff]$/, '')

/** Names and values in turn, as pairs. */
export const pairsOf = (flat: readonly string[]): Pairs =>
  flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []))
