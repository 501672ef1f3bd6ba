/** Shows a result again and again: drawn anew on a terminal, one behind the other in a file or a pipe. */
import { setTimeout as delay } from 'node:timers/promises'
import { cut } from '../terminal/fit.ts'
import { escaped, sentence } from '../terminal/words.ts'

export interface WatchOptions {
  readonly everyMs: number
  /** Ends it when it is aborted. */
  readonly wish: AbortSignal
  /** Prints a result. */
  readonly print: (result: string) => void
  /** The screen to draw on; undefined: there is none. */
  readonly screen?: { readonly columns: number; readonly rows: number } | undefined
  /** Stands above what is drawn: the server. */
  readonly title: string
  /** Whether it may be over after a while: then it is said, and asked again. */
  readonly isPassing: (error: unknown) => boolean
}

/**
 * @param look what is printed
 * @throws what the first look throws, and later what does not pass.
 */
export async function watch(look: () => Promise<string>, options: WatchOptions): Promise<void> {
  const { everyMs, wish, screen, print, isPassing } = options
  let last: { readonly text: string; readonly atMs: number } | undefined
  while (!wish.aborted) {
    let trouble: string | undefined
    try {
      last = { text: await look(), atMs: Date.now() }
    } catch (error) {
      if (last === undefined || !isPassing(error)) throw error
      trouble = sentence(error instanceof Error ? error.message : String(error))
    }
    if (screen !== undefined) print(drawn(options.title, last, { trouble, screen }))
    else if (trouble === undefined) print(last.text)
    else process.stderr.write(`${escaped(trouble)}\n`)
    await delay(everyMs, undefined, { signal: wish }).catch(() => undefined)
  }
}

const home = '\u001B[H'
const restOfLine = '\u001B[K'
const restOfScreen = '\u001B[J'

/** Over what is there, so that nothing flickers. */
function drawn(
  title: string,
  { text, atMs }: { readonly text: string; readonly atMs: number },
  {
    trouble,
    screen: { columns, rows },
  }: { readonly trouble: string | undefined; readonly screen: { columns: number; rows: number } },
): string {
  const at = new Date(atMs).toISOString().slice(11, 19)
  const age = Math.floor((Date.now() - atMs) / 1000)
  const state = trouble === undefined ? '' : `, stale ${age} s: ${escaped(trouble)}`
  const lines = [`${title}, ${at} UTC${state}`, '', ...text.split('\n')].map((line) =>
    clipped(line, columns),
  )
  const most = rows - 1
  const left = lines.length - most
  const shown = left > 0 ? [...lines.slice(0, most - 1), `... ${left + 1} more lines`] : lines
  return home + shown.map((line) => line + restOfLine).join('\n') + `\n${restOfScreen}`
}

/** A line that goes on in the next one would push the last ones out. What is bold is left whole. */
const clipped = (line: string, columns: number): string =>
  line.includes('\u001B') ? line : cut(line, columns)
