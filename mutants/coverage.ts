/** What NODE_V8_COVERAGE has written: which functions of our own files were called. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** By source (from the root of the checkout) and name of a function: whether it was called. */
export type Coverage = Record<string, Record<string, boolean>>

interface Written {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly {
      readonly functionName: string
      readonly ranges: readonly { readonly count: number }[]
    }[]
  }[]
}

/**
 * Adds up what all processes of a run have written.
 * @returns of `src` and of what is built of it; and which files of tests were loaded.
 */
export function coverageIn(
  folder: string,
  root: string,
): { readonly coverage: Coverage; readonly tests: string[] } {
  const coverage: Coverage = {}
  const tests = new Set<string>()
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Written
    for (const { url, functions } of result) {
      const file = fileOf(url, root)
      if (file === undefined) continue
      if (!isSource(file)) {
        tests.add(file)
        continue
      }
      const calls = (coverage[file] ??= {})
      for (const { functionName, ranges } of functions) {
        const isCalled = (ranges[0]?.count ?? 0) > 0
        calls[functionName] = (calls[functionName] ?? false) || isCalled
      }
    }
  }
  return { coverage, tests: [...tests] }
}

function isSource(file: string): boolean {
  return /^[^/]+\/src\//.test(file)
}

function fileOf(url: string, root: string): string | undefined {
  if (!url.startsWith('file://')) return undefined
  const [path = ''] = url.split('?')
  const at = fileURLToPath(path)
  if (!at.startsWith(`${root}/`)) return undefined
  const file = at.slice(root.length + 1)
  if (file.includes('node_modules/') || file.startsWith('mutants/')) return undefined
  return file.replace(/^([^/]+)\/dist\/(.*)\.js$/, '$1/src/$2.ts')
}
