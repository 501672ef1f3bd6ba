import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from 'millrace-ops/command'

/** A server program of this machine. */
export interface ServerBinary {
  readonly file: string
  readonly name: 'redis-server' | 'valkey-server'
  /** Like `7.0.15`. */
  readonly version: string
}

/** The first major version of each that the service works on. */
const majorMin = { 'redis-server': 7, 'valkey-server': 8 } as const

/**
 * Finds a server on the PATH that is new enough, Redis before Valkey.
 * @throws {CommandError} when there is none, or only older ones.
 */
export async function findServerBinary(): Promise<ServerBinary> {
  const tooOld: ServerBinary[] = []
  for (const name of ['redis-server', 'valkey-server'] as const) {
    const file = await onPath(name)
    if (file === undefined) continue
    const binary = { file, name, version: await versionOf(file) }
    if (Number.parseInt(binary.version, 10) >= majorMin[name]) return binary
    tooOld.push(binary)
  }
  const [old] = tooOld
  if (old === undefined) {
    throw new CommandError(
      'Cannot start the embedded server: neither redis-server nor valkey-server is on the PATH. ' +
        'Install one with "npm run setup", or set REDIS_URL to a server of yours',
    )
  }
  throw new CommandError(
    `Cannot start the embedded server: ${old.file} is version ${old.version}, and Redis 7 or Valkey 8 is needed. ` +
      'Install a newer one, or set REDIS_URL to one of yours',
  )
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder === '' ? '.' : folder, name)
    const isFound = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isFound) return file
  }
  return undefined
}

/** Reads "Redis server v=7.0.15 sha=..." or "Valkey server v=8.0.1 ...". */
async function versionOf(file: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: 10_000 })
    return /\bv=(\d[\w.-]*)/.exec(stdout)?.[1] ?? `unknown ("${stdout.trim()}")`
  } catch (error) {
    throw new CommandError(
      `Cannot start the embedded server: "${file} --version" failed: ${(error as Error).message}`,
      { cause: error },
    )
  }
}
