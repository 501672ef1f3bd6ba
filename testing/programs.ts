/** Programs of the tests that are no servers of Redis: proxies, Prometheus. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache', import.meta.url))

/**
 * The file of a program: on the PATH, where Debian installs it, or unpacked by `scripts/servers.mjs`; undefined: it is not there.
 *
 * @param unpackedAs folder of `.cache/servers/` that has it. Default: one of the program's name.
 */
export function programFile(name: string, unpackedAs = name): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    '/usr/sbin',
    '/usr/local/sbin',
    join(cache, unpackedAs, 'usr/sbin'),
    join(cache, 'servers', unpackedAs, 'bin'),
  ]
  return folders.map((folder) => join(folder, name)).find((file) => isExecutable(file))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
