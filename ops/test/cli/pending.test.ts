/** `millrace pending --filter`: a bounded look through what is pending, by what is known of an entry and what stands in it. */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { parseFilter } from '../../src/groups/pending-filter.ts'
import { scanPending } from '../../src/groups/pending-scan.ts'
import { OperatorStage } from '../stage/operator-stage.ts'

interface Listed {
  readonly entries: readonly { readonly id: string }[]
  readonly next: string | null
  readonly scanned: {
    readonly entries: number
    readonly of: number
    readonly isRestYounger: boolean
  }
}

describe('millrace pending --filter', { concurrency: false }, () => {
  const stage = new OperatorStage()
  const ids = async (filter: string, ...more: string[]): Promise<string[]> => {
    const args = ['--stream', 'orders', '--group', 'billing', '--filter', filter]
    const { entries } = await stage.json<Listed>('pending', ...args, ...more)
    return entries.map(({ id }) => id)
  }

  before(async () => {
    const send = stage.redis.send.bind(stage.redis)
    await stage.foreign('orders', { entries: 1200, held: 600 })
    await send('XREADGROUP', 'GROUP', 'billing', 'w-3', 'COUNT', '600', 'STREAMS', 'orders', '>')
    await send('XCLAIM', 'orders', 'billing', 'w-3', '0', '7-0', '8-0', 'IDLE', '60000')
    await send('XCLAIM', 'orders', 'billing', 'w-3', '0', '8-0', 'IDLE', '60000', 'RETRYCOUNT', '9')
    await send('XDEL', 'orders', '9-0')
  })

  test('takes terms of the entry and of its fields, and all have to fit', async () => {
    assert.deepEqual(await ids('consumer:w-3 held:>50s'), ['7-0', '8-0'])
    assert.deepEqual(await ids('deliveries:>2'), ['8-0'])
    assert.deepEqual(await ids('item:book42'), ['42-0'])
    assert.deepEqual(await ids('price:>=1198'), ['1198-0', '1199-0', '1200-0'])
    assert.deepEqual(await ids('price:<10 consumer:worker-1'), [
      '1-0',
      '2-0',
      '3-0',
      '4-0',
      '5-0',
      '6-0',
    ])
    assert.deepEqual(await ids('field.item:"book8" held:>=60s'), ['8-0'])
    // Its fields are gone, so none of them fits; the entry itself is still pending.
    assert.deepEqual(await ids('price:9'), [])
  })

  test('says how far it looked, and goes on from there', async () => {
    const args = ['pending', '--stream', 'orders', '--filter', 'price:>1100', '--limit', '2']
    const { stdout } = await stage.run(...args, '--scan', '700')
    assert.match(stdout, /^Group billing: 1,200 pending entries, 0 shown; scanned 700 of 1,200\n/)
    assert.match(stdout, /\nMore: --from 700-0\n$/)
    const next = await stage.json<Listed>(...args, '--from', '700-0')
    assert.deepEqual(
      next.entries.map(({ id }) => id),
      ['1101-0', '1102-0'],
    )
    assert.equal(next.next, '1102-0')
    assert.deepEqual(next.scanned, { entries: 402, of: 1200, isRestYounger: false })
    const own = await stage.run('pending', '--stream', 'orders', '--filter', 'consumer:w-3 price:3')
    assert.match(own.stdout, /, 0 shown; scanned 602 of 602\n/)
  })

  test('stops where everything is younger', async () => {
    const now = Date.now()
    for (let at = 0; at < 800; at += 1) {
      await stage.redis.send('XADD', 'visits', `${now - (at < 3 ? 90_000 : 0)}-${at}`, 'a', 'b')
    }
    await stage.redis.send('XGROUP', 'CREATE', 'visits', 'desk', '0')
    await stage.redis.send('XREADGROUP', 'GROUP', 'desk', 'ada', 'STREAMS', 'visits', '>')
    const { stdout } = await stage.run('pending', '--stream', 'visits', '--filter', 'age:>1m')
    assert.match(stdout, /, 3 shown; scanned 500 of 800, the rest is younger\n/)
    assert.ok(!stdout.includes('More:'))
  })

  test('says which fields there are, where one was seen nowhere', async () => {
    const { stdout } = await stage.run('pending', '--stream', 'orders', '--filter', 'prize:3')
    assert.match(
      stdout,
      /\nNo entry that was scanned has a field prize\. There are: item, price\n$/,
    )
  })

  test('refuses what nobody can follow, and names what is allowed', async () => {
    for (const [filter, why] of [
      ['w-3', /Nobody can follow "w-3"\. Allowed are consumer:NAME, age:>10s/],
      ['age:10s', /a time is compared by >, >=, < or <=/],
      ['held:>soon', /it is a time like 500ms, 10s/],
      ['deliveries:>many', /it is compared with a number/],
      ['consumer:>w', /a consumer is named as it is/],
      ['price:>cheap', /it is compared with a number/],
      ['city:"New York', /Nobody can follow/],
      ['  ', /It is empty\. Allowed are/],
    ] as const) {
      assert.throws(() => parseFilter(filter), { name: 'FilterError', message: why })
    }
    const wrong = await stage.run('pending', '--stream', 'orders', '--filter', 'w-3')
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /Nobody can follow "w-3"\. Allowed are/)
    const both = await stage.run('pending', '--filter', 'a:b', '--consumer', 'w')
    assert.equal(both.code, 2)
    assert.match(both.stderr, /write them as its terms consumer:NAME and held:>=TIME/)
  })

  test('asks for bounded pieces, and for no entry that is out already', async () => {
    const calls: string[] = []
    const counting = {
      send: (...args: readonly string[]) => {
        calls.push(args.join(' '))
        return stage.redis.send(...args)
      },
    } as Parameters<typeof scanPending>[0]
    const filter = parseFilter('deliveries:>2 item:book8')
    const place = { stream: 'orders', group: 'billing' }
    const { scanned } = await scanPending(counting, place, { filter, limit: 20, scanMax: 1000 })
    assert.equal(scanned, 1000)
    assert.deepEqual(calls.slice(2), [
      'XPENDING orders billing - + 500',
      'XRANGE orders 8-0 8-0',
      'XPENDING orders billing (500-0 + 500',
    ])
  })
})
