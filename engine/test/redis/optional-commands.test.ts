/** CLIENT, INFO and CONFIG are optional: all works where the server does not know them, or refuses them to its user. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Millrace } from 'millrace'
import { onEachServer, type Bench } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import {
  appendVisits,
  connectFor,
  effects,
  freshGroup,
  startConsumer,
  untilDrained,
} from '../stage/fixture.ts'

const optional = ['CLIENT', 'INFO', 'CONFIG'] as const
const renamed = optional.flatMap((command) => ['--rename-command', command, ''])

async function worksWith(t: TestContext, bench: Bench, millrace: Millrace): Promise<void> {
  const fixture = { ...(await freshGroup({ ...bench, millrace })), redis: bench.redis }
  await appendVisits(fixture, 20)
  const pushed = startConsumer(t, fixture, 'pushed')
  await untilDrained(fixture)
  await pushed.consumer.stop()
  const pulled = startConsumer(t, fixture, 'pulled', { handler: () => undefined })
  await millrace.append(fixture.visits, { guest: 1, room: 1, stars: 1 })
  await waitFor(async () => (await effects(fixture)).guests === 21, { what: 'all to be applied' })
  await pulled.consumer.stop()
  assert.deepEqual(await Promise.all([pushed.ended, pulled.ended]), [undefined, undefined])
  let seen = 0
  const reader = millrace.reader(fixture.visits, {
    name: 'alone',
    positionKey: `${fixture.prefix}:position`,
    projections: [],
    observer: { applied: (entries) => void (seen += entries.length) },
  })
  const ended = reader.run()
  t.after(() => reader.stop())
  await waitFor(() => seen === 21, { what: 'the reader to read all' })
  await reader.stop()
  await ended
}

onEachServer(
  'optional commands that the server does not know',
  (bench) => {
    test('are done without by consumers and readers', async (t) => {
      const { millrace, redis } = bench()
      for (const command of optional) await assert.rejects(redis.send(command, 'GET', 'x'))
      await worksWith(t, bench(), millrace)
    })
  },
  { args: renamed },
)

onEachServer('optional commands that the user may not send', (bench) => {
  test('are done without by consumers and readers', async (t) => {
    const rights = optional.map((command) => `-${command.toLowerCase()}`)
    await bench().redis.send('ACL', 'SETUSER', 'ada', 'on', '>pw', '~*', '+@all', ...rights)
    const url = bench().server.url.replace('//', '//ada:pw@')
    await worksWith(t, bench(), await connectFor(t, { url }))
  })

  test('have the connection named where they are allowed', async (t) => {
    const millrace = await connectFor(t, { url: bench().server.url, name: 'my-app' })
    assert.equal(await millrace.send('CLIENT', 'GETNAME'), 'my-app')
  })
})
