import { access, constants, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandError } from 'millrace-ops/command'

/** Files of an embedded server, all inside its data folder. */
export interface DataFolder {
  /** Absolute, without symbolic links: as the server itself names it. */
  readonly path: string
  /** What the service remembers of its server: see server-file.ts. */
  readonly serverFile: string
  readonly configFile: string
  /** What the server prints; the lines of earlier starts stay until it has grown to 1 MiB. */
  readonly logFile: string
  /** Exists while a process starts the server, so that two never start one each. */
  readonly lockFile: string
  /** Where the server keeps its append-only file. */
  readonly appendOnlyFolder: string
}

/** Where the data is: `MILLRACE_DATA_DIR`, default `.millrace/` at the root of this checkout. */
export function dataFolderPath(): string {
  const chosen = process.env.MILLRACE_DATA_DIR ?? ''
  return chosen === ''
    ? fileURLToPath(new URL('../../../.millrace', import.meta.url))
    : resolve(chosen)
}

/**
 * Creates the data folder if need be; only its owner may look into it.
 * @throws {CommandError} when it is no folder that can be used.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await createFolder(path)
    return await usableFolder(path)
  } catch (error) {
    throw unusable(path, error)
  }
}

/**
 * Names the files of a data folder, or gives undefined when there is no such folder.
 * @throws {CommandError} as {@link openDataFolder}.
 */
export async function existingDataFolder(path: string): Promise<DataFolder | undefined> {
  try {
    return await usableFolder(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw unusable(path, error)
  }
}

/** What a failure of the file system says of the folder. */
export function unusable(path: string, error: unknown): CommandError {
  const code = codeOf(error)
  const state = (code === undefined ? undefined : states[code]) ?? String(error)
  return new CommandError(
    `Cannot use the data folder "${path}": ${state}. Set MILLRACE_DATA_DIR to a folder that we may write to`,
    { cause: error },
  )
}

const states: Readonly<Record<string, string>> = {
  EEXIST: 'there is a file of this name',
  ENOTDIR: 'it, or what it is in, is a file and no folder',
  ENOENT: 'it cannot be created there',
  EACCES: 'we may not write there',
  EPERM: 'we may not write there',
  EROFS: 'it is on a disk that only reads',
  ENOSPC: 'its disk is full',
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined

/** One folder after the other: with `recursive`, Node never comes back from a place like `/proc`. */
async function createFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (await isFolder(path)) return
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error
    await createFolder(dirname(path))
    // Another process may have been faster.
    await mkdir(path, { mode: 0o700 }).catch(async (again: unknown) => {
      if (!(await isFolder(path))) throw again
    })
  }
}

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() === true

async function usableFolder(path: string): Promise<DataFolder> {
  const real = await realpath(path)
  // With a "/" at its end, a file is none that is found.
  await access(join(real, '/'), constants.R_OK | constants.X_OK)
  return dataFolderAt(real)
}

function dataFolderAt(path: string): DataFolder {
  return {
    path,
    serverFile: join(path, 'server.json'),
    configFile: join(path, 'redis.conf'),
    logFile: join(path, 'redis.log'),
    lockFile: join(path, 'starting.lock'),
    appendOnlyFolder: join(path, 'appendonlydir'),
  }
}
