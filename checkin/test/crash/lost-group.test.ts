/** Test 11: stream or group vanish or move under living consumers. They halt, say why, and make nothing anew. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onOldestAndNewest } from '../../../testing/on-each-server.ts'
import { within } from '../../../testing/wait-for.ts'
import { Stage } from './stage.ts'

const stream = 'ncc:checkins'
const group = 'checkinConsumers'
const flags = ['--claim-after', '800ms']

const losses: readonly {
  readonly name: string
  readonly commands: readonly (readonly string[])[]
  readonly says: RegExp
  readonly isGroupLeft: boolean
}[] = [
  { name: 'FLUSHALL', commands: [['FLUSHALL']], says: /does not exist/, isGroupLeft: false },
  { name: 'DEL', commands: [['DEL', stream]], says: /does not exist/, isGroupLeft: false },
  {
    name: 'XGROUP DESTROY',
    commands: [['XGROUP', 'DESTROY', stream, group]],
    says: /does not exist/,
    isGroupLeft: false,
  },
  {
    name: 'XGROUP SETID back',
    commands: [['XGROUP', 'SETID', stream, group, '0']],
    says: /was moved back, or created again/,
    isGroupLeft: true,
  },
  {
    name: 'XGROUP CREATE at 0 anew',
    commands: [
      ['MULTI'],
      ['XGROUP', 'DESTROY', stream, group],
      ['XGROUP', 'CREATE', stream, group, '0'],
      ['EXEC'],
    ],
    says: /was moved back, or created again|does not exist/,
    isGroupLeft: true,
  },
]

onOldestAndNewest(
  'lost group',
  (bench) => {
    for (const { name, commands, says, isGroupLeft } of losses) {
      test(`${name} ends the consumers with one clear error, and nothing counts twice`, async (t) => {
        const { server, redis } = bench()
        await redis.send('FLUSHALL')
        const stage = await Stage.open(server.url)
        t.after(() => stage.close())
        const running = [
          await stage.startProcessor('consumer1', ...flags),
          await stage.startProcessor('consumer2', ...flags),
        ]
        await stage.append(300)
        await stage.untilDrained()
        const before = await sumOfCheckins()
        // One write, so that a transaction is whole.
        await Promise.all(commands.map((command) => redis.send(...command)))
        for (const { exited } of running) {
          const ended = await within(exited, { what: 'the consumers to end', timeoutMs: 20_000 })
          assert.equal(ended.code, 1, ended.stdout + ended.stderr)
          const errors = ended.stderr.split('\n').filter((line) => line.startsWith('error:'))
          assert.equal(errors.length, 1, ended.stderr)
          assert.match(errors[0] ?? '', says)
        }
        assert.equal(await hasGroup(), isGroupLeft)
        if (name !== 'FLUSHALL') assert.equal(await sumOfCheckins(), before)

        async function sumOfCheckins(): Promise<number> {
          const keys = (await redis.send('KEYS', 'ncc:users:*')) as string[]
          const counts = await Promise.all(
            keys.map((key) => redis.send('HGET', key, 'numCheckins')),
          )
          return counts.reduce<number>((sum, count) => sum + Number(count), 0)
        }

        async function hasGroup(): Promise<boolean> {
          const groups = await redis.send('XINFO', 'GROUPS', stream).catch(() => [])
          return JSON.stringify(groups).includes(group)
        }
      })
    }
  },
  { concurrency: false },
)
