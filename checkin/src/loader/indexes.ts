/**
 * What is derived from the hashes: the rankings and the geo index. A load writes both with the hashes; processors keep the
 * rankings up to date from then on, and positions change by a load alone.
 */
import type { Millrace, RankOutcome } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { readPosition } from '../domain/position.ts'
import { sendForEach } from './batches.ts'
import type { LoadedData } from './data-folder.ts'
import { scanIds } from './scan.ts'

/** The keys of rankings and geo index: sorted sets all of them. */
export function indexKeys({ users, locations, geoKey }: CheckinModel): string[] {
  return [...Object.values(users.rankings), ...Object.values(locations.rankings), geoKey]
}

/** Indexes the hashes that a load has written. */
export async function indexLoaded(
  millrace: Millrace,
  model: CheckinModel,
  { users, locations }: Pick<LoadedData, 'users' | 'locations'>,
): Promise<void> {
  const { checkins, userKey, locationKey } = model
  const userKeys = users.map(({ id }) => userKey(String(id)))
  const locationKeys = locations.map(({ id }) => locationKey(String(id)))
  await millrace.rankHashes(checkins, model.users, userKeys)
  await millrace.rankHashes(checkins, model.locations, locationKeys)
  const places = locations.map(({ id, location }): Place => [String(id), location])
  await placeAll(millrace, model, places)
}

/** What a rebuild found. */
export interface Indexed {
  /** Over all rankings. */
  readonly rankings: RankOutcome
  readonly positions: { readonly placed: number; readonly removed: number }
}

/** Builds all indexes from the hashes that are there. Safe while processors run and when repeated; not during a load. */
export async function rebuildIndexes(millrace: Millrace, model: CheckinModel): Promise<Indexed> {
  const users = await millrace.rebuildRankings(model.checkins, model.users)
  const locations = await millrace.rebuildRankings(model.checkins, model.locations)
  const rankings = {
    ranked: users.ranked + locations.ranked,
    removed: users.removed + locations.removed,
  }
  return { rankings, positions: await rebuildPositions(millrace, model) }
}

async function rebuildPositions(
  millrace: Millrace,
  model: CheckinModel,
): Promise<Indexed['positions']> {
  const { geoKey, locationKey } = model
  let placed = 0
  let removed = 0
  for await (const ids of scanIds(millrace, locationKey(''))) {
    const some = await placeAll(millrace, model, await readPlaces(millrace, model, ids))
    placed += some.placed
    removed += some.removed
  }
  // Members whose hash is gone.
  let cursor = '0'
  do {
    const reply = await millrace.send('ZSCAN', geoKey, cursor, 'COUNT', '1000')
    const [next, flat] = Array.isArray(reply) ? reply : []
    const ids = Array.isArray(flat) ? flat.filter((_, at) => at % 2 === 0).map(String) : []
    removed += (await placeAll(millrace, model, await readPlaces(millrace, model, ids))).removed
    cursor = String(next)
  } while (cursor !== '0')
  return { placed, removed }
}

/** Id and field `location` of a location. */
type Place = readonly [id: string, location: unknown]

async function readPlaces(
  millrace: Millrace,
  { locationKey }: CheckinModel,
  ids: readonly string[],
): Promise<Place[]> {
  const places: Place[] = []
  const command = (id: string) => ['HGET', locationKey(id), 'location']
  await sendForEach(millrace, ids, command, (location, id) => void places.push([id, location]))
  return places
}

/** Puts the locations with a position into the geo index, and takes the others out. */
async function placeAll(
  millrace: Millrace,
  { geoKey }: CheckinModel,
  places: readonly Place[],
): Promise<Indexed['positions']> {
  let placed = 0
  let removed = 0
  const command = ([id, location]: Place): string[] => {
    const position = readPosition(location)
    if (position === undefined) return ['ZREM', geoKey, id]
    placed += 1
    return ['GEOADD', geoKey, String(position.lng), String(position.lat), id]
  }
  await sendForEach(millrace, places, command, (reply, [, location]) => {
    if (readPosition(location) === undefined) removed += Number(reply)
  })
  return { placed, removed }
}
