import { openClient } from '../measure/client.ts'

/** @throws {Error} unless every 202 is an entry; there may be more, whose answers came too late. */
export async function checkEntries(url: string, taken: number): Promise<void> {
  const client = await openClient(url)
  const entries = await client.xLen('ncc:checkins')
  client.destroy()
  if (entries < taken)
    throw new Error(`${taken} check-ins were taken, ${entries} are in the stream`)
}
