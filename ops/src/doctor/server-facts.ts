/** What the server tells about itself; what its user may not ask is missing, never an error. */
import { MillraceError, type Millrace } from 'millrace'
import { infoFields, productOf } from '../snapshot/look/read-server.ts'

export interface ServerFacts {
  readonly product: 'Redis' | 'Valkey'
  /** Empty when the server does not tell. */
  readonly version: string
  /** A field of INFO; undefined when it is hidden, or not of this version. */
  readonly info: (field: string) => string | undefined
  /** A setting, as CONFIG GET tells it; undefined likewise. */
  readonly setting: (name: string) => string | undefined
  /** False: the user may not read INFO or CONFIG. */
  readonly mayReadInfo: boolean
  readonly mayReadSettings: boolean
  /** The server's clock, in milliseconds. */
  readonly nowMs: number
  /** How far it is ahead of ours, in milliseconds. */
  readonly aheadMs: number
}

const patterns = ['maxmemory*', '*append*', 'aof-load-truncated', 'save', 'stop-writes-*']
const morePatterns = ['busy-reply-threshold', 'stream-node-max-*']

/** @throws {MillraceError} when the server cannot be asked at all. */
export async function readServer(millrace: Millrace): Promise<ServerFacts> {
  const [info, settings, clock] = await Promise.all([
    unlessForbidden(millrace.send('INFO')),
    unlessForbidden(settingsOf(millrace)),
    clockOf(millrace),
  ])
  const fields = infoFields(String(info ?? ''))
  return {
    ...productOf(fields),
    info: (field) => fields.get(field),
    setting: (name) => settings?.get(name),
    mayReadInfo: info !== undefined,
    mayReadSettings: settings !== undefined,
    ...clock,
  }
}

async function settingsOf(millrace: Millrace): Promise<Map<string, string>> {
  const settings = new Map<string, string>()
  for (const pattern of [...patterns, ...morePatterns]) {
    const flat = await millrace.send('CONFIG', 'GET', pattern)
    if (!Array.isArray(flat)) continue
    for (let at = 0; at < flat.length; at += 2) settings.set(String(flat[at]), String(flat[at + 1]))
  }
  return settings
}

async function clockOf(millrace: Millrace): Promise<{ nowMs: number; aheadMs: number }> {
  const before = Date.now()
  const time = await millrace.send('TIME')
  const ours = (before + Date.now()) / 2
  const [seconds, micros] = Array.isArray(time) ? time.map(Number) : []
  const nowMs = (seconds ?? 0) * 1000 + (micros ?? 0) / 1000
  return { nowMs, aheadMs: nowMs - ours }
}

/** Undefined when the user may not ask, or the service offers no such command. */
async function unlessForbidden<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked
  } catch (error) {
    const code = error instanceof MillraceError ? error.code : undefined
    if (code === 'AUTHENTICATION' || code === 'REFUSED') return undefined
    throw error
  }
}
