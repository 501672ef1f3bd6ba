/** `millrace doctor`: each finding about the group is there with its cause, and gone with its remedy. */
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import {
  all,
  append,
  accepted,
  order,
  deadLetters,
  drained,
  key,
  ledger,
  model,
  name,
  processed,
  provoke,
  read,
  recovered,
  send,
  type Case,
} from '../stage/doctor-stage.ts'

const far = '99999999999999-0'

/** Each key of the engine, and what it holds. */
const wrongKeys = {
  [key]: 'stream',
  [`${key}:ledger`]: 'hash',
  [deadLetters]: 'stream',
  [`${key}:${name}:leases`]: 'zset',
  [`${key}:${name}:holders`]: 'hash',
  [`${key}:${name}:retries`]: 'zset',
  [`${key}:${name}:attempts`]: 'hash',
  [ledger]: 'hash',
}

const groups: readonly Case[] = [
  {
    check: 'group-not-created',
    severity: 'warning',
    cause: send('PING'),
    what: /There is no stream shop:orders/,
    remedy: processed(0),
  },
  {
    check: 'group-missing',
    severity: 'problem',
    cause: all(processed(10), send('XGROUP', 'DESTROY', key, name)),
    what: /group does not exist, but has processed/,
    remedy: recovered,
  },
  {
    check: 'stream-missing',
    severity: 'problem',
    cause: all(processed(10), send('DEL', key)),
    what: /stream does not exist, but the group has processed it/,
    remedy: recovered,
  },
  {
    check: 'stream-made-anew',
    severity: 'problem',
    cause: all(
      processed(10),
      send('DEL', key),
      send('XGROUP', 'CREATE', key, name, '0', 'MKSTREAM'),
    ),
    what: /deleted and made anew/,
    remedy: recovered,
  },
  {
    check: 'group-moved-back',
    severity: 'problem',
    cause: all(processed(10), send('XGROUP', 'SETID', key, name, '0')),
    what: /moved back/,
    remedy: recovered,
  },
  {
    check: 'entries-missing',
    severity: 'problem',
    cause: all(processed(10), append, send('XGROUP', 'SETID', key, name, '$')),
    what: /neither pending nor settled/,
    remedy: all(recovered, drained),
  },
  {
    check: 'balance',
    severity: 'problem',
    cause: all(processed(10), async (redis, { millrace }) => {
      const id = await millrace.append(model.orders, order)
      await redis.send('XDEL', key, id)
    }),
    what: /^1 appended entry is neither/,
    remedy: accepted,
  },
  {
    check: 'balance',
    severity: 'problem',
    cause: all(processed(10), send('HINCRBY', ledger, 'applied', '3')),
    what: /^3 more entries are counted than were appended/,
    remedy: accepted,
  },
  {
    check: 'dead-letter-count',
    severity: 'warning',
    cause: all(processed(10), send('XADD', deadLetters, '*', 'id', '1-0')),
    what: /holds 1 letter, 1 more than/,
    remedy: accepted,
  },
  {
    check: 'dead-letter-count',
    severity: 'problem',
    cause: all(send('XADD', key, '1-0', 'a', 'b'), processed(1), send('DEL', deadLetters)),
    what: /holds 0 letters, 1 fewer than/,
    remedy: accepted,
  },
  {
    check: 'dead-letters',
    severity: 'warning',
    cause: all(send('XADD', key, '1-0', 'a', 'b'), processed(1)),
    what: /^1 dead letter waits/,
    remedy: (_redis, { millrace }) =>
      millrace.group(model.orders, name).deadLetters.purge({ all: true }),
  },
  {
    check: 'no-processor',
    severity: 'problem',
    cause: all(processed(10), append, append, read),
    what: /No consumer is alive, 1 entry is undelivered .*and 1 pending/,
    remedy: async (redis, bench) => {
      await redis.send('XCLAIM', key, name, 'c', '0', await firstPending(redis), 'JUSTID')
      await drained(redis, bench)
    },
  },
  {
    check: 'retries-lost',
    severity: 'warning',
    cause: all(processed(10), append, read, async (redis) => {
      await redis.send('XCLAIM', key, name, 'retry', '0', await firstPending(redis), 'JUSTID')
    }),
    what: /^1 entry waits for the next attempt/,
    remedy: async (redis, bench) => {
      await redis.send('XCLAIM', key, name, 'c', '0', await firstPending(redis), 'JUSTID')
      await drained(redis, bench)
    },
  },
  {
    check: 'ids-ahead',
    severity: 'warning',
    cause: all(send('XADD', key, far, 'a', 'b'), processed(0)),
    what: /newest id is [\d,]+ h ahead/,
    advice: /use another stream/,
    remedy: send('FLUSHALL'),
  },
  {
    check: 'lag-unknown',
    severity: 'info',
    cause: all(append, append, append, async (redis) => {
      const [, [id]] = (await redis.send('XRANGE', key, '-', '+')) as [unknown, [string]]
      await redis.send('XGROUP', 'CREATE', key, name, '0')
      await redis.send('XDEL', key, id)
    }),
    what: /cannot tell the group's lag; counted: 2/,
    remedy: drained,
  },
  {
    check: 'lag-phantom',
    severity: 'info',
    cause: all(processed(10), async (redis) => {
      const [[id]] = (await redis.send('XREVRANGE', key, '+', '-', 'COUNT', '1')) as [[string]]
      await redis.send('XGROUP', 'SETID', key, name, id, 'ENTRIESREAD', '3')
    }),
    what: /says that 7 entries are undelivered, but 0 are/,
    remedy: (_redis, { millrace }) =>
      millrace.group(model.orders, name).repairLag({ execute: true }),
  },
  {
    check: 'balance-unknown',
    severity: 'info',
    cause: all(append, append, async (redis, { millrace }) => {
      const [[id]] = (await redis.send('XRANGE', key, '-', '+')) as [[string]]
      await millrace.group(model.orders, name).create({ from: id })
    }),
    what: /the group began amid the stream/,
    remedy: recoveredByHand,
  },
  {
    check: 'paused',
    severity: 'info',
    cause: all(processed(1), (_redis, { millrace }) => millrace.group(model.orders, name).pause()),
    what: /The group is paused/,
    remedy: (_redis, { millrace }) => millrace.group(model.orders, name).resume(),
  },
  {
    check: 'removed-otherwise',
    severity: 'info',
    cause: all(processed(10), send('XTRIM', key, 'MAXLEN', '5')),
    what: /^5 processed entries were removed/,
    remedy: send('FLUSHALL'),
  },
  ...Object.entries(wrongKeys).map(([taken, type]): Case => ({
    check: 'wrong-type',
    severity: 'problem',
    cause: send('LPUSH', taken, 'somebody'),
    what: new RegExp(`^Key "${taken}" holds a list, not a ${type}\\.$`),
    remedy: send('RENAME', taken, 'elsewhere'),
  })),
]

/** One entry lies before where the group begins. */
async function recoveredByHand(redis: TestClient): Promise<void> {
  await redis.send('HSET', ledger, 'skipped', '1')
}

async function firstPending(redis: TestClient): Promise<string> {
  const [[id]] = (await redis.send('XPENDING', key, name, '-', '+', '1')) as [[string]]
  return id
}

onOldestAndNewest(
  'doctor',
  (bench) => {
    for (const one of groups) {
      test(`finds ${one.check}: ${one.what.source}`, () => provoke(bench(), one))
    }
  },
  { concurrency: false, appendonly: 'everysec', args: ['--aof-load-truncated', 'no'] },
)
