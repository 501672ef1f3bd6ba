/** Who changes something is told where, before it happens. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runMain } from '../../../testing/processes.ts'
import { startRedis, type TestServer } from '../../../testing/redis-servers.ts'

const changing = [
  ['load'],
  ['reindex'],
  ['trim'],
  ['trim', '--json'],
  ['recover', '--execute'],
  ['groups', 'create'],
  ['groups', 'pause'],
  ['groups', 'resume'],
  ['groups', 'repair-lag', '--execute'],
  ['groups', 'accept-loss', '--execute'],
  ['consumers', 'remove', 'c'],
  ['consumers', 'pause', 'c'],
  ['consumers', 'resume', 'c'],
  ['dead-letters', 'redrive', '--all'],
  ['dead-letters', 'purge', '--all', '--yes'],
  ['api-keys', 'create', 'ada'],
  ['api-keys', 'revoke', 'x'],
]

describe('commands that change something', { concurrency: 3 }, () => {
  let server: TestServer | undefined
  before(async () => {
    server = await startRedis()
  })
  after(() => server?.stop())

  for (const [at, args] of changing.entries()) {
    test(`${args.join(' ')} says server, stream and group first, and no password`, async () => {
      const url = server?.url.replace('//', '//default:secret@') ?? ''
      const env = { REDIS_URL: url, KEY_PREFIX: `p${at}`, CHECKIN_GROUP: 'mine' }
      const { stderr, stdout } = await runMain(args, { env }).exited
      const [line = ''] = stderr.split('\n')
      assert.equal(
        line,
        `At ${url.replace('secret', '***')}, stream "p${at}:checkins", group "mine":`,
      )
      assert.doesNotMatch(stderr + stdout, /secret/)
    })
  }
})
