/** Connections of a test's own. */
import type { TestContext } from 'node:test'
import { Connection } from '../../src/redis/connection.ts'
import { readAddress } from '../../src/redis/server-address.ts'
import { freshPrefix, type Bench } from '../../../testing/on-each-server.ts'

/** The engine knows nothing of it. */
export async function openConnection(t: TestContext, url: string): Promise<Connection> {
  const connection = await Connection.open({ address: readAddress(url), name: 'guards' })
  t.after(() => connection.destroy())
  return connection
}

/** The URL of a server for a new user with these rights. */
export async function urlWithRights(
  { server, redis }: Pick<Bench, 'server' | 'redis'>,
  ...rights: readonly string[]
): Promise<string> {
  const user = `limited-${freshPrefix()}`
  await redis.send('ACL', 'SETUSER', user, 'on', '>pw', ...rights)
  return server.url.replace('redis://', `redis://${user}:pw@`)
}
