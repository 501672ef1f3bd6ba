import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Result } from './benchmarks/benchmark.ts'

/** Keeps a benchmark's result as `NAME.json` in a folder, in place of the one before. Resolves to the file. */
export async function saveResult(folder: string, result: Result): Promise<string> {
  const file = fileOf(folder, result.benchmark)
  await mkdir(folder, { recursive: true })
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
  return file
}

/** Undefined when the benchmark has not been run yet. */
export async function loadResult(folder: string, benchmark: string): Promise<Result | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(folder, benchmark), 'utf8')) as Result
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}

function fileOf(folder: string, benchmark: string): string {
  return join(folder, `${benchmark}.json`)
}
