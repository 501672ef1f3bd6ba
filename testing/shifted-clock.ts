import { execFileSync } from 'node:child_process'
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { removeAtExit } from './clean-up-at-exit.ts'

/** The clock of a server that is started with `env`. */
export interface ShiftedClock {
  /** For `StartOptions.env`. */
  readonly env: Readonly<Record<string, string>>
  /** Sets it so many seconds ahead (or back) of the machine's clock, from the next look at it on. */
  shift(seconds: number): void
}

const source = fileURLToPath(new URL('shifted-clock.c', import.meta.url))

/**
 * Makes a clock that can be shifted: a library that is preloaded into the server. (libfaketime does not start servers
 * that are built with jemalloc.)
 * @returns undefined where there is no Linux or no C compiler.
 */
export function shiftedClock(): ShiftedClock | undefined {
  if (process.platform !== 'linux') return undefined
  const folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'))
  removeAtExit(folder)
  const library = join(folder, 'shifted-clock.so')
  try {
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source], { stdio: 'pipe' })
  } catch {
    return undefined
  }
  const file = join(folder, 'seconds')
  const shift = (seconds: number): void => {
    // Renamed into place: a server that looks at this moment must not read half of it.
    writeFileSync(`${file}.new`, String(seconds))
    renameSync(`${file}.new`, file)
  }
  shift(0)
  return { env: { LD_PRELOAD: library, MILLRACE_CLOCK_FILE: file }, shift }
}
