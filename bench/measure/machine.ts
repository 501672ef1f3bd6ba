import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, release, totalmem, type } from 'node:os'
import { startRedis } from '../../testing/redis-servers.ts'
import { openClient } from './client.ts'

/** What the numbers were measured on. */
export interface Machine {
  readonly cores: number
  readonly cpu: string
  readonly memoryGiB: number
  readonly system: string
  /** Versions by name: the server, node and the packages that take part. */
  readonly versions: Readonly<Record<string, string>>
}

const packages = [
  ...['millrace', 'redis', 'ioredis', 'bullmq', '@moleculer/channels'],
  ...['fastify', 'express'],
]

/** Starts a server for a moment to ask for its version. @throws {Error} when there is no server. */
export async function describeMachine(): Promise<Machine> {
  const cores = cpus()
  return {
    cores: cores.length,
    cpu: cores[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    versions: {
      ...(await serverVersion()),
      node: process.versions.node,
      ...Object.fromEntries(packages.map((name) => [name, packageVersion(name)])),
    },
  }
}

async function serverVersion(): Promise<Record<string, string>> {
  const server = await startRedis()
  const client = await openClient(server.url)
  const info = await client.info('server')
  client.destroy()
  await server.stop()
  // Valkey says `redis_version` too, for old clients: the version it is compatible with.
  const version = /^valkey_version:(\S+)/m.exec(info) ?? /^redis_version:(\S+)/m.exec(info)
  return { [`${server.kind}-server`]: version?.[1] ?? 'unknown' }
}

function packageVersion(name: string): string {
  // Not every package exports its package.json, so it is looked up where Node would look for the package.
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(`${folder}/${name}/package.json`, 'utf8')
      return (JSON.parse(text) as { version: string }).version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return 'not installed'
}
