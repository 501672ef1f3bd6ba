/** Locations and users as a load leaves them, under a receiver, for the tests of reading. */
import type { TestContext } from 'node:test'
import { connect, type Millrace } from 'millrace'
import { checkinModel } from '../../src/domain/checkins.ts'
import type { LoadedData } from '../../src/loader/data-folder.ts'
import { load } from '../../src/loader/load.ts'
import { receiverStage, type Stage } from './receiver-stage.ts'

export type LoadedRecord = LoadedData['users'][number]

export interface ReadingStage extends Stage {
  readonly millrace: Millrace
  readonly model: ReturnType<typeof checkinModel>
}

/** Starts a receiver on a server that holds the data. */
export async function readingStage(
  t: TestContext,
  data: Partial<LoadedData>,
  options: Parameters<typeof receiverStage>[1] = {},
): Promise<ReadingStage> {
  const stage = await receiverStage(t, options)
  const millrace = await connect({ url: stage.server.url })
  t.after(() => millrace.close())
  const model = checkinModel('ncc')
  const all = { users: [], locations: [], checkins: [], ...data }
  await load(millrace, all, { model, group: 'checkinConsumers' })
  return { ...stage, millrace, model }
}

export const locationOf = (id: number, fields: Partial<LoadedRecord> = {}): LoadedRecord => ({
  id,
  name: `Place ${id}`,
  category: 'cafe',
  location: '-9.139337,38.707751',
  numCheckins: 2,
  numStars: 7,
  averageStars: 4,
  ...(fields as LoadedRecord),
})

export const userOf = (id: number, numCheckins: number): LoadedRecord => ({
  id,
  firstName: `First ${id}`,
  lastName: `Last ${id}`,
  email: `${id}@example.com`,
  numCheckins,
  lastCheckin: 5,
  lastSeenAt: 1,
})
