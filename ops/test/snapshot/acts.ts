/** What is done to streams by hand, in the group `g`. */
import type { TestClient } from '../../../testing/test-client.ts'

/** The id of an entry of some seconds ago. */
export const ago = (seconds: number, sequence = 0): string =>
  `${Date.now() - Math.round(seconds * 1000)}-${sequence}`

export const append = (redis: TestClient, key: string, id = '*', ...options: string[]) =>
  redis.send('XADD', key, ...options, id, 'field', 'value')

export const read = (redis: TestClient, key: string, many: number, consumer = 'ada') =>
  redis.send('XREADGROUP', 'GROUP', 'g', consumer, 'COUNT', String(many), 'STREAMS', key, '>')

export const create = (redis: TestClient, key: string) =>
  redis.send('XGROUP', 'CREATE', key, 'g', '0', 'MKSTREAM')
