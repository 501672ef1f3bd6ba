import { readFileSync } from 'node:fs'
import { openClient, type Client } from '../measure/client.ts'
import { keys, type Checkin } from '../workload/checkins.ts'
import type { Backlog } from './rival.ts'

const fillScript = readFileSync(new URL('./fill-stream.lua', import.meta.url), 'utf8')

/** The stream and its group, as the check-in service has them. */
export const streamBacklog: Backlog = {
  async prepare(client) {
    await client.xGroupCreate(keys.stream, keys.group, '0', { MKSTREAM: true })
  },

  async openProducer(url) {
    const client = await openClient(url)
    const sha = await client.scriptLoad(fillScript)
    return {
      // node-redis writes all commands of one tick in one go.
      append: (checkins) => Promise.all(checkins.map((checkin) => append(client, checkin))),
      fill: (checkins) =>
        client.evalSha(sha, {
          keys: [keys.stream],
          arguments: checkins.flatMap(({ id, userId, locationId, starRating }) =>
            [id, userId, locationId, starRating].map(String),
          ),
        }),
      close: () => client.close(),
    }
  },

  isDone: (client, { lastId }) => isGroupDone(client, lastId),
}

/** Whether everything up to the last id was delivered and nothing is pending. */
export async function isGroupDone(client: Client, lastId: string): Promise<boolean> {
  const [group] = await client.xInfoGroups(keys.stream)
  return group?.['last-delivered-id'] === lastId && group.pending === 0
}

function append(
  client: Client,
  { id, userId, locationId, starRating }: Checkin,
): Promise<string | null> {
  return client.xAdd(keys.stream, id, {
    locationId: String(locationId),
    userId: String(userId),
    starRating: String(starRating),
  })
}
