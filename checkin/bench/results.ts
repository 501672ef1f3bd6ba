import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from '../src/errors.ts'
import type { ApplyResult } from './apply.ts'

/** Keeps a benchmark's result as `NAME.json` in a folder, in place of the one before. Resolves to the file. */
export async function saveResult(folder: string, result: ApplyResult): Promise<string> {
  const file = fileOf(folder, result.benchmark)
  await mkdir(folder, { recursive: true })
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`)
  return file
}

/** @throws {CommandError} when the benchmark has not been run yet. */
export async function loadResult(folder: string, benchmark: 'apply'): Promise<ApplyResult> {
  const file = fileOf(folder, benchmark)
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ApplyResult
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const remedy = `Measure first with "npm run bench -- ${benchmark}"`
    throw new CommandError(`Cannot read ${file}: there is no such result. ${remedy}`, {
      cause: error,
    })
  }
}

function fileOf(folder: string, benchmark: string): string {
  return join(folder, `${benchmark}.json`)
}
