import { keys } from '../workload.ts'
import type { Backlog } from './rival.ts'

const chunk = 5000

/** The stream and its group, as the check-in service has them. */
export const streamBacklog: Backlog = {
  async fill({ client }, checkins) {
    for (let start = 0; start < checkins.length; start += chunk) {
      const appended = checkins
        .slice(start, start + chunk)
        .map(({ id, userId, locationId, starRating }) =>
          client.xAdd(keys.stream, id, {
            locationId: String(locationId),
            userId: String(userId),
            starRating: String(starRating),
          }),
        )
      await Promise.all(appended)
    }
    await client.xGroupCreate(keys.stream, keys.group, '0')
  },

  async isDone(client, lastId) {
    const [group] = await client.xInfoGroups(keys.stream)
    return group?.['last-delivered-id'] === lastId && group.pending === 0
  },
}
