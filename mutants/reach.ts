/** Which test files reach which source: measured by one run of each, and kept in `.cache/mutants/` until its tests change. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { copyOf, readSource, removeCopy, writeSource } from './checkout-copy.ts'
import { coverageIn, type Coverage } from './coverage.ts'
import type { Mutant } from './edit.ts'
import { runTestFile, type TestFileEnd } from './test-file-run.ts'

/** What one run of a test file has reached. */
interface Measured {
  /** The test file, and what it imports of the tests' own files. */
  readonly of: readonly string[]
  /** Of the contents of those. */
  readonly digest: string
  /** Of all sources at that time. */
  readonly sources: string
  readonly seconds: number
  /** Why it can kill nothing: it fails as it is. */
  readonly failed?: string
  readonly coverage: Coverage
  /** Files of `engine/lua/` that were part of a script that was sent. */
  readonly scripts: readonly string[]
}

const measureLimitMs = 600_000
const scriptsSent = 'scripts-sent'

export class Reach {
  readonly #checkout: string
  readonly #cache: string
  readonly #sources: string
  readonly #measured: Map<string, Measured>

  /** @param sources all that is mutated or called by what is: when they change, what was measured is old, but kept. */
  constructor(checkout: string, sources: readonly string[]) {
    this.#checkout = checkout
    this.#cache = join(checkout, '.cache/mutants/reach.json')
    this.#sources = this.#digestOf(sources)
    this.#measured = new Map()
    if (!existsSync(this.#cache)) return
    const kept = JSON.parse(readFileSync(this.#cache, 'utf8')) as Record<string, Measured>
    for (const [file, measured] of Object.entries(kept)) {
      if (measured.digest === this.#digestOf(measured.of)) this.#measured.set(file, measured)
    }
  }

  /** Those that have to be measured first; one that has failed is tried again by each run. */
  missing(tests: readonly string[]): string[] {
    return tests.filter(
      (file) => this.#measured.get(file)?.failed !== undefined || !this.#measured.has(file),
    )
  }

  /** Those that were measured before the sources became what they are. */
  old(tests: readonly string[]): string[] {
    return tests.filter((file) => this.#measured.get(file)?.sources !== this.#sources)
  }

  failing(tests: readonly string[]): string[] {
    return tests.flatMap((file) => {
      const failed = this.#measured.get(file)?.failed
      return failed === undefined ? [] : [`${file}: ${failed}`]
    })
  }

  secondsOf(test: string): number {
    return this.#measured.get(test)?.seconds ?? 0
  }

  /** Runs a test file in a copy of its own and keeps what it reached. */
  async measure(file: string): Promise<Measured> {
    const root = copyOf(this.#checkout)
    try {
      noteScriptsIn(root)
      const folder = join(root, 'coverage')
      const noting = `--import=${pathToFileURL(join(root, 'mutants/note-coverage.mjs')).href}`
      const env = { NODE_V8_COVERAGE: folder, NODE_OPTIONS: noting }
      const run = (): Promise<TestFileEnd> =>
        runTestFile(root, file, { limitMs: measureLimitMs, env })
      let end = await run()
      // It may be flaky under load.
      if (end.kind === 'failed') end = await run()
      const { coverage, tests } = coverageIn(folder, root)
      const of = [...new Set([file, ...tests])].sort()
      const scripts = existsSync(join(root, scriptsSent))
        ? [...new Set(readSource(root, scriptsSent).trim().split('\n'))].sort()
        : []
      const measured: Measured = {
        of,
        digest: this.#digestOf(of),
        sources: this.#sources,
        seconds: end.kind === 'passed' ? end.seconds : 0,
        ...(end.kind === 'failed' && { failed: `${end.title}: ${end.said}` }),
        ...(end.kind === 'timed out' && { failed: 'it does not end' }),
        coverage,
        scripts,
      }
      this.#measured.set(file, measured)
      this.#keep()
      return measured
    } finally {
      removeCopy(root)
    }
  }

  /** Those of the test files that call the function of the mutant, or send its script, and pass without it. */
  of({ file, within }: Pick<Mutant, 'file' | 'within'>, tests: readonly string[]): string[] {
    const isKnown =
      within !== undefined &&
      [...this.#measured.values()].some(({ coverage }) => coverage[file]?.[within] !== undefined)
    return tests.filter((test) => {
      const measured = this.#measured.get(test)
      if (measured === undefined || measured.failed !== undefined) return false
      if (file.endsWith('.lua')) return measured.scripts.includes(file)
      const functions = measured.coverage[file]
      return isKnown ? functions?.[within] === true : functions !== undefined
    })
  }

  #digestOf(files: readonly string[]): string {
    const hash = createHash('sha1')
    for (const file of files) {
      const path = join(this.#checkout, file)
      hash.update(`${file}\0`).update(existsSync(path) ? readFileSync(path) : 'gone')
    }
    return hash.digest('hex')
  }

  #keep(): void {
    mkdirSync(dirname(this.#cache), { recursive: true })
    writeFileSync(this.#cache, JSON.stringify(Object.fromEntries(this.#measured)))
  }
}

/** Lets the copy's engine say which scripts it sends. */
function noteScriptsIn(root: string): void {
  const file = 'engine/src/scripts/run-script.ts'
  const begins = '  const rest = [String(keys.length), ...keys, ...args]\n'
  const parts = readSource(root, file).split(begins)
  if (parts.length !== 2) {
    throw new Error(`Cannot measure: "runScript" in ${file} has changed. Bring reach.ts up to date`)
  }
  rmSync(join(root, scriptsSent), { force: true })
  const patched = parts.join(`  noteScript(script)\n${begins}`)
  const imported = "import { noteScript } from '../../../mutants/note-scripts.mjs'\n"
  writeSource(root, file, imported + patched)
}
