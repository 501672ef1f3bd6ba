import { mkdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** Creates the data folder if need be; only its owner may look into it. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  return dataFolderAt(await realpath(path))
}

/** Names the files of a data folder, or gives undefined when there is no such folder. */
export async function existingDataFolder(path: string): Promise<DataFolder | undefined> {
  try {
    return dataFolderAt(await realpath(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
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
