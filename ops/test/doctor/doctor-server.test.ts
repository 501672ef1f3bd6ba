/** What the doctor finds in the settings of a server: there with its cause, gone with its remedy. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { connect } from 'millrace'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { diagnose } from '../../src/doctor/doctor.ts'
import { all, config, placeAt, provoke, quick, send, type Case } from '../stage/doctor-stage.ts'

const settings: readonly Case[] = [
  {
    check: 'eviction',
    severity: 'problem',
    cause: all(config('maxmemory', '1gb'), config('maxmemory-policy', 'allkeys-lru')),
    what: /allkeys-lru, and memory has a limit of 1,073,741,824 bytes/,
    remedy: all(config('maxmemory-policy', 'noeviction'), config('maxmemory', '0')),
  },
  {
    check: 'eviction',
    severity: 'warning',
    cause: config('maxmemory-policy', 'volatile-ttl'),
    what: /volatile-ttl, and memory has no limit yet/,
    remedy: config('maxmemory-policy', 'noeviction'),
  },
  {
    check: 'memory',
    severity: 'problem',
    cause: config('maxmemory', '1mb'),
    what: /\d+ % of maxmemory \(1,048,576 bytes\) are used/,
    remedy: config('maxmemory', '0'),
  },
  {
    check: 'append-only',
    severity: 'problem',
    cause: config('appendonly', 'no'),
    what: /append-only file is off, and there are no snapshots/,
    remedy: config('appendonly', 'yes'),
  },
  {
    check: 'append-only',
    severity: 'warning',
    cause: all(config('appendonly', 'no'), config('save', '3600 1')),
    what: /only snapshots \(save 3600 1\)/,
    remedy: all(config('appendonly', 'yes'), config('save', '')),
  },
  {
    check: 'append-only-sync',
    severity: 'warning',
    cause: config('appendfsync', 'no'),
    what: /appendfsync is no/,
    remedy: config('appendfsync', 'everysec'),
  },
  {
    check: 'append-only-rewrite',
    severity: 'warning',
    cause: config('no-appendfsync-on-rewrite', 'yes'),
    what: /no-appendfsync-on-rewrite is yes/,
    remedy: config('no-appendfsync-on-rewrite', 'no'),
  },
  {
    check: 'append-only-truncated',
    severity: 'warning',
    cause: config('aof-load-truncated', 'yes'),
    what: /aof-load-truncated is yes/,
    remedy: config('aof-load-truncated', 'no'),
  },
  {
    check: 'script-limit',
    severity: 'warning',
    cause: config('busy-reply-threshold', '0'),
    what: /is 0 ms/,
    remedy: config('busy-reply-threshold', '5000'),
  },
  {
    check: 'stream-nodes',
    severity: 'info',
    cause: config('stream-node-max-entries', '0'),
    what: /stream-node-max-entries is 0/,
    remedy: config('stream-node-max-entries', '100'),
  },
  {
    check: 'last-write',
    severity: 'problem',
    cause: async (redis, { server }) => {
      rmSync(`${server.dir}/snapshots`, { recursive: true, force: true })
      mkdirSync(`${server.dir}/snapshots`)
      await redis.send('CONFIG', 'SET', 'dir', `${server.dir}/snapshots`)
      rmSync(`${server.dir}/snapshots`, { recursive: true })
      await snapshot(redis, 'err')
    },
    what: /The last .*snapshot failed/,
    remedy: async (redis, { server }) => {
      await redis.send('CONFIG', 'SET', 'dir', server.dir)
      await snapshot(redis, 'ok')
    },
  },
  {
    check: 'replica',
    severity: 'problem',
    cause: send('REPLICAOF', '127.0.0.1', '1'),
    what: /replica of 127\.0\.0\.1:1/,
    remedy: send('REPLICAOF', 'NO', 'ONE'),
  },
]

/** Writes a snapshot, and the append-only file anew, until both end as expected. */
async function snapshot(redis: TestClient, status: 'ok' | 'err'): Promise<void> {
  const ends = ['rdb_last_bgsave_status', ...(status === 'ok' ? ['aof_last_bgrewrite_status'] : [])]
  await waitFor(
    async () => {
      for (const command of ['BGSAVE', 'BGREWRITEAOF']) {
        if (status === 'ok' || command === 'BGSAVE')
          await redis.send(command).catch(() => undefined)
      }
      const info = String(await redis.send('INFO', 'persistence'))
      return ends.every((field) => info.includes(`${field}:${status}`))
    },
    { what: `a snapshot that ends with ${status}` },
  )
}

onOldestAndNewest(
  'doctor of the server',
  (bench) => {
    for (const one of settings) {
      test(`finds ${one.check}: ${one.what.source}`, async () => {
        // Valkey repairs such a file since 8.0.11.
        const isRepaired = one.check === 'append-only-truncated' && bench().kind === 'valkey9'
        if (!isRepaired) await provoke(bench(), one)
        else await assert.rejects(provoke(bench(), one), { actual: undefined, expected: 'warning' })
      })
    }

    test('finds versions with a known fault', async () => {
      const { server, findings } = await diagnose(placeAt(bench().millrace), quick)
      const isFaulty =
        server.product === 'Valkey' && /^(?:7|8\.0\.\d$|8\.0\.10$)/.test(server.version)
      assert.equal(
        findings.some(({ check }) => check === 'server-version'),
        isFaulty,
      )
    })

    test('says what it cannot tell when the user may not ask', async (t) => {
      const { redis, server } = bench()
      await redis.send('FLUSHALL')
      const rights = ['+@all', '-config', '-info']
      await redis.send('ACL', 'SETUSER', 'blind', 'on', '>pw', '~*', ...rights)
      const url = server.url.replace('redis://', 'redis://blind:pw@')
      const millrace = await connect({ url })
      t.after(() => millrace.close())
      const { findings } = await diagnose(placeAt(millrace), quick)
      const hidden = findings.find(({ check }) => check === 'settings-hidden')
      assert.match(hidden?.what ?? '', /may not ask for INFO and CONFIG GET/)
      await redis.send('ACL', 'SETUSER', 'blind', '-xinfo', '-evalsha', '-eval')
      const blind = await diagnose(placeAt(millrace), quick)
      assert.ok(blind.findings.some(({ check }) => check === 'group-hidden'))
    })
  },
  {
    concurrency: false,
    appendonly: 'everysec',
    args: ['--aof-load-truncated', 'no', '--enable-protected-configs', 'yes'],
  },
)
