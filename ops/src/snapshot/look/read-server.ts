/** What INFO tells of a server. */
import type { ServerSnapshot } from '../snapshot.ts'

/** Undefined fields are hidden, or not of this version. */
export type InfoFields = ReadonlyMap<string, string>

/** The fields of a reply of INFO. */
export function infoFields(info: string): InfoFields {
  return new Map(
    info
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}

export function productOf(info: InfoFields): Pick<ServerSnapshot, 'product' | 'version'> {
  const valkey = info.get('valkey_version')
  return {
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? info.get('redis_version') ?? '',
  }
}

export function serverIn(info: InfoFields): ServerSnapshot {
  const number = (field: string): number => Number(info.get(field) ?? 0)
  return {
    ...productOf(info),
    role: info.get('role') ?? '',
    usedMemoryBytes: number('used_memory'),
    maxMemoryBytes: number('maxmemory'),
    evictionPolicy: info.get('maxmemory_policy') ?? '',
    isAppendOnly: info.get('aof_enabled') === '1',
    connectedClients: number('connected_clients'),
    cpuSeconds: number('used_cpu_user') + number('used_cpu_sys'),
  }
}

/** The server's clock in milliseconds, from the reply of TIME or, without the right to it, from INFO. */
export function clockIn(time: unknown, info: InfoFields | undefined): number {
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
  if (seconds !== undefined) return Math.floor(seconds * 1000 + (micros ?? 0) / 1000)
  const told = info?.get('server_time_usec')
  return told === undefined ? Date.now() : Math.floor(Number(told) / 1000)
}
