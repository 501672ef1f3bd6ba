/** `npx checkin groups repair-lag` and `accept-loss`: what they say, and that only --execute changes anything. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandStage } from '../stage/command-stage.ts'

describe('npx checkin groups, repairs', { concurrency: 2 }, () => {
  const stage = new CommandStage('groups')
  const { run } = stage

  test('groups repair-lag shows what it would do, does it with --execute, and then has nothing to do', async () => {
    const key = await stage.fill('phantom', 10)
    await stage.deliver(key, { count: 10, consumer: 'ada' })
    const setId = ['XGROUP', 'SETID', key, 'checkinConsumers', '10-0', 'ENTRIESREAD', '3']
    await stage.redis.send(...setId)
    const shown = await run('phantom', 'repair-lag')
    assert.deepEqual([shown.code, shown.stderr], [0, ''])
    assert.match(
      shown.stdout,
      /^Group checkinConsumers of stream phantom:checkins: the server says a lag of 7, but 0 entries are undelivered\..*\nNothing was changed\. To do it, add --execute\.\n$/,
    )
    assert.match((await run('phantom')).stdout, /\ncheckinConsumers .*\b10\b/)
    const done = await run('phantom', 'repair-lag', '--execute')
    assert.match(done.stdout, /said a lag of 7, and 0 entries are undelivered: now it says 0\.\n$/)
    assert.match(
      done.stderr,
      /^At redis:.*, stream "phantom:checkins", group "checkinConsumers":\n$/,
    )
    const again = await run('phantom', 'repair-lag', '--execute', '--json')
    assert.deepEqual(JSON.parse(again.stdout), {
      kind: 'same',
      undelivered: 0,
      lagBefore: 0,
      lagAfter: 0,
    })
  })

  test('groups accept-loss takes what is in no count into the account, with --execute', async () => {
    const key = await stage.fill('loss', 5)
    const ledger = `${key}:checkinConsumers:ledger`
    await stage.redis.send('HSET', ledger, 'since', '1', 'skipped', '0', 'applied', '0')
    await stage.redis.send('XDEL', key, '2-0', '3-0')
    const shown = await run('loss', 'accept-loss')
    assert.match(
      shown.stdout,
      /: 2 check-ins that are in no count would be taken as skipped\.\nNothing was changed/,
    )
    assert.equal(await stage.redis.send('HGET', ledger, 'skipped'), '0')
    const done = await run('loss', 'accept-loss', '--execute')
    assert.match(done.stdout, /2 check-ins that are in no count were taken as skipped\.\n$/)
    assert.equal(await stage.redis.send('HGET', ledger, 'skipped'), '2')
    assert.match((await run('loss', 'accept-loss')).stdout, /nothing is to be accepted/)
    assert.equal((await run('missing', 'accept-loss')).code, 1)
  })
})
