/** The append-only file of a stopped test server: cut, as by a loss of power, and repaired. */
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { repairAppendOnlyFile } from '../checkin/src/embedded/repair-append-only-file.ts'
import { binaryOf, type ServerKind, type TestServer } from '../testing/redis-servers.ts'

/** The file that a server on this data folder appends to. */
export function appendOnlyFileIn(dir: string): string {
  const parent = join(dir, 'appendonlydir')
  const names = readdirSync(parent).filter((name) => name.endsWith('.incr.aof'))
  // After rewrites there may be several: the newest one has the highest number.
  const number = (name: string): number => Number(/\.(\d+)\.incr\.aof$/.exec(name)?.[1])
  const [newest = ''] = names.sort((a, b) => number(b) - number(a))
  return join(parent, newest)
}

/** Cuts so many bytes off the end, a third at most, and repairs the file as the embedded server does. Returns what was cut in all. */
export async function tearAndRepair(server: TestServer, bytes: number): Promise<string> {
  const file = appendOnlyFileIn(server.dir)
  const { size } = statSync(file)
  // What made the stream and its group stands at the beginning and was synced long ago.
  const lost = Math.min(bytes, Math.floor(size / 3))
  truncateSync(file, size - lost)
  return `torn by ${lost} bytes, repaired to ${await repair(server.dir, server.kind)}`
}

/** Cuts an incomplete last command or transaction off, as the embedded server does before a start. */
export async function repair(dir: string, kind: ServerKind): Promise<string> {
  const place = { path: dir, appendOnlyFolder: join(dir, 'appendonlydir') }
  const unused = { serverFile: '', configFile: '', logFile: '', lockFile: '' }
  const name = kind.startsWith('redis') ? 'redis-server' : 'valkey-server'
  const binary = { file: binaryOf(kind) ?? '', name, version: '' } as const
  return await repairAppendOnlyFile({ ...place, ...unused }, binary)
}
