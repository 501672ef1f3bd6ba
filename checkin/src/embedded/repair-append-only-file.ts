import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { CommandError } from 'millrace-ops/command'
import type { DataFolder } from './data-folder.ts'
import { lastLines } from './launch-server.ts'
import type { ServerBinary } from './server-binary.ts'

/** True when the server refused its append-only file because the end is missing, as after a power loss. */
export function isTorn(log: string): boolean {
  return log.includes('Unexpected end of file reading the append only file')
}

/**
 * Cuts an incomplete last command, or an incomplete last transaction as a whole, off the append-only file.
 * @returns what was cut, in words: "78 of 128 bytes".
 * @throws {CommandError} when the file cannot be repaired.
 */
export async function repairAppendOnlyFile(
  folder: DataFolder,
  binary: ServerBinary,
): Promise<string> {
  const names = await readdir(folder.appendOnlyFolder)
  const manifest = names.find((name) => name.endsWith('.manifest'))
  if (manifest === undefined) {
    throw new CommandError(
      `Cannot repair the data of the embedded server: no manifest is in ${folder.appendOnlyFolder}`,
    )
  }
  const tool = binary.name === 'redis-server' ? 'redis-check-aof' : 'valkey-check-aof'
  // The server's program is its own check tool when it is called by that name. Where a script starts it, the name is lost.
  const beside = join(dirname(binary.file), tool)
  const file = existsSync(beside) ? beside : binary.file
  const torn = lastFile(await readFile(join(folder.appendOnlyFolder, manifest), 'utf8'))
  // Not the manifest: Valkey 9's tool does not know the base file of its own server.
  const child = spawn(file, ['--fix', join(folder.appendOnlyFolder, torn)], {
    argv0: tool,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // It asks "Continue? [y/N]", or ends without asking.
  child.stdin.on('error', () => undefined)
  child.stdin.end('y\n')
  const [[code], said, complained] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ])
  if (code !== 0) {
    throw new CommandError(
      `Cannot repair the data of the embedded server in ${folder.path}: ${tool} failed:\n${lastLines(said + complained)}`,
    )
  }
  const sizes = /from (\d+) bytes, with (\d+) bytes/.exec(said)
  return sizes === null ? 'nothing' : `${String(sizes[2])} of ${String(sizes[1])} bytes`
}

/** The file that the server appended to last; only its end can be missing. */
function lastFile(manifest: string): string {
  const files = [...manifest.matchAll(/^file (?:"([^"]+)"|(\S+)) .*\btype i\b/gm)]
  const [, quoted, plain] = files.at(-1) ?? []
  return quoted ?? plain ?? ''
}
