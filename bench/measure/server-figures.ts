import { startRedis, type StartOptions, type TestServer } from '../../testing/redis-servers.ts'
import { openClient, type Client } from './client.ts'

/** How the measured server writes its append-only file; `no`: it keeps none. */
export type AppendOnly = NonNullable<StartOptions['appendonly']>

/** A server of a measurement's own, and the connection that looks at it from outside. */
export interface Stage {
  readonly server: TestServer
  readonly url: string
  readonly client: Client
}

/** Runs `work` on a fresh server, which is gone afterwards. */
export async function onFreshServer<Result>(
  appendonly: AppendOnly,
  work: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  // A rewrite of the file in the middle of a measurement would be charged to one rival by chance.
  const args = ['--auto-aof-rewrite-percentage', '0']
  const server = await startRedis({ appendonly, args })
  const client = await openClient(server.url)
  try {
    return await work({ server, url: server.url, client })
  } finally {
    client.destroy()
    await server.stop()
  }
}

/** CPU time of the server so far, user and system. */
export async function serverCpuMicros(client: Client): Promise<number> {
  const info = await client.info('cpu')
  return (infoNumber(info, 'used_cpu_user') + infoNumber(info, 'used_cpu_sys')) * 1e6
}

/** Size of the append-only file; 0 where the server keeps none. */
export async function appendOnlyBytes(client: Client): Promise<number> {
  const bytes = infoNumber(await client.info('persistence'), 'aof_current_size')
  return Number.isNaN(bytes) ? 0 : bytes
}

/** Calls by command, from INFO commandstats; those that were refused before they ran are left out. */
export async function commandCalls(client: Client): Promise<Map<string, number>> {
  const info = await client.info('commandstats')
  const lines = info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)
  return new Map([...lines].map(([, command, calls]) => [String(command), Number(calls)]))
}

/** Microseconds that each command has taken so far, from INFO commandstats; that of a script holds those of its commands. */
export async function commandMicros(client: Client): Promise<Map<string, number>> {
  const info = await client.info('commandstats')
  const lines = info.matchAll(/^cmdstat_(\S+?):calls=\d+,usec=(\d+)/gm)
  return new Map([...lines].map(([, command, micros]) => [String(command), Number(micros)]))
}

function infoNumber(info: string, field: string): number {
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1])
}
