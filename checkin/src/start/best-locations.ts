import type { Millrace } from 'millrace'
import type { Reply } from 'millrace/operate'
import type { CheckinModel } from '../domain/checkins.ts'

/** What the hash of a location says. */
export interface Location {
  readonly name: string
  readonly averageStars: number
  readonly numCheckins: number
}

// On a server with many keys this looks at a part of them; it is a glance and not a report.
const scansMax = 100
const keysPerScan = '1000'
const locationsMax = 5000

/** The locations with the most stars on average; among equals, those with more check-ins first. */
export async function bestLocations(
  millrace: Millrace,
  model: CheckinModel,
  count: number,
): Promise<Location[]> {
  const keys = await locationKeys(millrace, model)
  const locations = await Promise.all(keys.map((key) => readLocation(millrace, key)))
  return locations
    .filter(({ numCheckins }) => numCheckins > 0)
    .sort((a, b) => b.averageStars - a.averageStars || b.numCheckins - a.numCheckins)
    .slice(0, count)
}

async function locationKeys(millrace: Millrace, model: CheckinModel): Promise<string[]> {
  const prefix = model.locationKey('')
  const keys = new Set<string>()
  let cursor = '0'
  for (let scan = 0; scan < scansMax && keys.size < locationsMax; scan += 1) {
    const match = ['MATCH', `${prefix}*`, 'TYPE', 'hash', 'COUNT', keysPerScan]
    const [next, found] = list(await millrace.send('SCAN', cursor, ...match))
    for (const key of list(found).map(String)) {
      // Deeper keys, like "ncc:locations:5:photos", are no locations.
      if (/^\d+$/.test(key.slice(prefix.length))) keys.add(key)
    }
    cursor = String(next)
    if (cursor === '0') break
  }
  return [...keys]
}

async function readLocation(millrace: Millrace, key: string): Promise<Location> {
  const fields = ['name', 'averageStars', 'numCheckins']
  const [name, averageStars, numCheckins] = list(await millrace.send('HMGET', key, ...fields))
  return {
    name: typeof name === 'string' ? name : key,
    averageStars: Number(averageStars),
    numCheckins: Number(numCheckins),
  }
}

function list(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : []
}
