/** What may be wrong with a server, whatever is on it: each check looks at the facts and finds something or nothing. */
import { duration, written } from '../terminal/words.ts'
import type { Finding } from './finding.ts'
import { isOlder, knownFaults } from './known-faults.ts'
import type { ServerFacts } from './server-facts.ts'
import type { Typed } from '../place/typed.ts'

/** What they find, by the name of the check. */
export const serverFindings = {
  replica: 'the server takes no writes: it is a replica',
  'server-version': 'the version of the server has a fault that a later one repairs',
  eviction: 'at the limit of memory the server evicts keys',
  memory: '80 % of maxmemory are used, or all',
  'append-only': 'the append-only file is off',
  'append-only-sync': 'the append-only file is synced by nobody but the operating system',
  'append-only-rewrite': 'nothing is synced while the append-only file is rewritten',
  'append-only-truncated': 'a torn append-only file is cut and written on',
  'last-write': 'the last write of append-only file or snapshot failed',
  'script-limit': 'scripts of ours are answered with BUSY, or none can be ended',
  'stream-nodes': 'trimming frees memory late',
  clocks: 'the clocks of server and machine differ',
  'settings-hidden': 'the user may not see the settings of the server',
} as const

type Check = (
  server: ServerFacts,
  told: { readonly typed: Typed },
) => Finding<keyof typeof serverFindings> | undefined

const readable: Check = ({ mayReadInfo, mayReadSettings }) => {
  if (mayReadInfo && mayReadSettings) return undefined
  const hidden = [...(mayReadInfo ? [] : ['INFO']), ...(mayReadSettings ? [] : ['CONFIG GET'])]
  return {
    check: 'settings-hidden',
    severity: 'info',
    what: `Cannot tell: the user may not ask for ${hidden.join(' and ')}, so settings of the server were not checked.`,
    why: 'Eviction, append-only file, memory and version decide about what survives.',
    remedy: 'Run the doctor with a user that has +info +config|get, or look there yourself.',
  }
}

const role: Check = ({ info }) =>
  info('role') === 'slave'
    ? {
        check: 'replica',
        severity: 'problem',
        what: `The server is a replica of ${info('master_host') ?? ''}:${info('master_port') ?? ''}.`,
        why: 'A replica takes no writes: nothing can be appended or processed here.',
        remedy: 'Set REDIS_URL to the primary, or promote this one: REPLICAOF NO ONE.',
      }
    : undefined

const version: Check = ({ product, version: held }) => {
  const fault = knownFaults.find(
    (known) =>
      known.product === product && !isOlder(held, known.from) && isOlder(held, known.repairedIn),
  )
  if (held === '' || fault === undefined) return undefined
  return {
    check: 'server-version',
    severity: 'warning',
    what: `The server is ${product} ${held}, which has a fault that ${fault.repairedIn} repairs.`,
    why: fault.why,
    remedy: `Update to ${product} ${fault.repairedIn} or later.`,
  }
}

const eviction: Check = ({ setting }) => {
  const policy = setting('maxmemory-policy')
  const limit = Number(setting('maxmemory') ?? 0)
  if (policy === undefined || policy === 'noeviction') return undefined
  const place = limit === 0 ? 'has no limit yet' : `has a limit of ${written(limit)} bytes`
  return {
    check: 'eviction',
    severity: limit === 0 ? 'warning' : 'problem',
    what: `maxmemory-policy is ${policy}, and memory ${place}.`,
    why: 'At the limit Redis evicts keys: the stream with its group, or hashes. Exactly once is void then.',
    remedy: 'CONFIG SET maxmemory-policy noeviction, and the same in the configuration file.',
  }
}

const memory: Check = ({ info }, { typed }) => {
  const limit = Number(info('maxmemory') ?? 0)
  const share = limit > 0 ? Number(info('used_memory') ?? 0) / limit : 0
  if (share < 0.8) return undefined
  const percent = Math.round(share * 100)
  return {
    check: 'memory',
    severity: share >= 1 ? 'problem' : 'warning',
    what: `${percent} % of maxmemory (${written(limit)} bytes) are used.`,
    why: 'At the limit nothing can be appended. Processing goes on.',
    remedy: `${typed('trim')}, or a larger maxmemory.`,
  }
}

const persistence: Check = ({ setting, info }) => {
  const appendOnly = setting('appendonly') ?? (info('aof_enabled') === '1' ? 'yes' : undefined)
  const snapshots = setting('save')
  if (appendOnly !== 'no') return undefined
  const hasSnapshots = snapshots !== undefined && snapshots !== ''
  return {
    check: 'append-only',
    severity: hasSnapshots ? 'warning' : 'problem',
    what: `The append-only file is off, ${hasSnapshots ? `there are only snapshots (save ${snapshots})` : 'and there are no snapshots'}.`,
    why: `A restart of the server loses ${hasSnapshots ? 'everything since the last snapshot' : 'everything'}, confirmed entries among it.`,
    remedy: 'CONFIG SET appendonly yes, and the same in the configuration file.',
  }
}

const sync: Check = ({ setting }) =>
  setting('appendonly') === 'yes' && setting('appendfsync') === 'no'
    ? {
        check: 'append-only-sync',
        severity: 'warning',
        what: 'appendfsync is no.',
        why: 'A loss of power loses what the operating system has not written yet: 30 s and more.',
        remedy:
          'CONFIG SET appendfsync everysec, or always if nothing that was confirmed may be lost.',
      }
    : undefined

const syncDuringRewrite: Check = ({ setting }) =>
  setting('appendonly') === 'yes' && setting('no-appendfsync-on-rewrite') === 'yes'
    ? {
        check: 'append-only-rewrite',
        severity: 'warning',
        what: 'no-appendfsync-on-rewrite is yes.',
        why: 'While the append-only file is rewritten nothing is synced, also with appendfsync always.',
        remedy: 'CONFIG SET no-appendfsync-on-rewrite no, and the same in the configuration file.',
      }
    : undefined

const truncated: Check = ({ setting, product, version: held }) => {
  if (setting('appendonly') !== 'yes' || setting('aof-load-truncated') !== 'yes') return undefined
  if (product === 'Valkey' && !isOlder(held, '8.0.11')) return undefined
  return {
    check: 'append-only-truncated',
    severity: 'warning',
    what: 'aof-load-truncated is yes.',
    why: 'After a loss of power amid a write, the second restart may lose or halve what was confirmed in between.',
    remedy:
      'CONFIG SET aof-load-truncated no, and the same in the configuration file; see docs/guarantees.md, "A torn append-only file".',
  }
}

const writing: Check = ({ info, setting }) => {
  const isFileBad = info('aof_last_write_status') === 'err'
  const isRewriteBad = info('aof_last_bgrewrite_status') === 'err'
  const isSnapshotBad = info('rdb_last_bgsave_status') === 'err'
  if (!isFileBad && !isRewriteBad && !isSnapshotBad) return undefined
  const stops = isSnapshotBad && setting('stop-writes-on-bgsave-error') !== 'no'
  const failed = [
    ...(isFileBad ? ['write of the append-only file'] : []),
    ...(isRewriteBad ? ['rewrite of the append-only file'] : []),
    ...(isSnapshotBad ? ['snapshot'] : []),
  ]
  return {
    check: 'last-write',
    severity: isFileBad || stops ? 'problem' : 'warning',
    what: `The last ${failed.join(' and ')} failed.`,
    why: 'The disk is full or broken: the server refuses writes, or loses them at a restart.',
    remedy: "Look at the server's log and its disk; then BGSAVE or BGREWRITEAOF.",
  }
}

const scriptLimit: Check = ({ setting }) => {
  const limit = setting('busy-reply-threshold')
  if (limit === undefined || Number(limit) >= 100) return undefined
  const isOff = Number(limit) <= 0
  return {
    check: 'script-limit',
    severity: 'warning',
    what: `busy-reply-threshold (lua-time-limit) is ${limit} ms.`,
    why: isOff
      ? 'A script that hangs can never be ended but by ending the server.'
      : 'Our scripts run for up to about 5 ms, on a busy machine longer: others are answered with BUSY.',
    remedy: 'CONFIG SET busy-reply-threshold 5000, the default.',
  }
}

const nodes: Check = ({ setting }) => {
  const entries = setting('stream-node-max-entries')
  if (entries === undefined || (Number(entries) > 0 && Number(entries) <= 1000)) return undefined
  return {
    check: 'stream-nodes',
    severity: 'info',
    what: `stream-node-max-entries is ${entries}.`,
    why: 'Memory is freed by whole nodes: with large ones, trimming frees it late.',
    remedy: 'CONFIG SET stream-node-max-entries 100, the default.',
  }
}

const clockMs = 5000
const clocks: Check = ({ aheadMs }) => {
  if (Math.abs(aheadMs) < clockMs) return undefined
  const by = duration(Math.round(Math.abs(aheadMs)))
  return {
    check: 'clocks',
    severity: 'warning',
    what: `The server's clock is ${by} ${aheadMs > 0 ? 'ahead of' : 'behind'} that of this machine.`,
    why: 'Ids and leases are in the time of the server: one of the two is wrong.',
    remedy: 'Synchronize both clocks (NTP).',
  }
}

/** All that look at the server alone. */
export const serverChecks: readonly Check[] = [
  readable,
  role,
  version,
  eviction,
  memory,
  persistence,
  sync,
  syncDuringRewrite,
  truncated,
  writing,
  scriptLimit,
  nodes,
  clocks,
]
