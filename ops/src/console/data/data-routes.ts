/** `api/...`: what the page asks for. Promise: each answer is bounded, and none of them changes anything in Redis. */
import type { FastifyInstance } from 'fastify'
import { groupKeys } from 'millrace/operate'
import { diagnose } from '../../doctor/doctor.ts'
import { placeOf } from '../../place/place.ts'
import { entriesOf, lookAt, pendingPage } from './entries.ts'
import { exported, letterPage, reasonsOf } from './letters.ts'
import type { Parts } from '../parts.ts'
import {
  queries,
  type EntriesQuery,
  type LettersQuery,
  type OfGroup,
  type PendingQuery,
} from './queries.ts'
import type { Examination, GroupSettings } from '../wire.ts'

export function addDataRoutes(app: FastifyInstance, parts: Parts): void {
  addPlaceRoutes(app, parts)
  addEntryRoutes(app, parts)
  addLetterRoutes(app, parts)
}

function addPlaceRoutes(app: FastifyInstance, { about, live, ...parts }: Parts): void {
  app.get('/api/about', { schema: queries.none }, () => about)
  app.get<{ Querystring: Partial<OfGroup> }>(
    '/api/snapshot',
    { schema: queries.maybeGroup },
    async ({ query }) => await live.view(named(query)),
  )
  app.get<{ Querystring: Partial<OfGroup> }>(
    '/api/history',
    { schema: queries.maybeGroup },
    ({ query }) => live.history.tell(named(query)),
  )
  const examine = sharing(async ({ stream: key, group: name }): Promise<Examination> => {
    const { service, millrace } = parts
    const diagnosis = await diagnose(placeOf(service, {}, { millrace, key, name }))
    return { diagnosis, atMs: Date.now() }
  })
  app.get<{ Querystring: OfGroup }>(
    '/api/doctor',
    { schema: queries.group },
    async ({ query }) => await examine(query),
  )
  app.get<{ Querystring: OfGroup }>('/api/group', { schema: queries.group }, ({ query }) =>
    settingsOf(query),
  )
}

function addEntryRoutes(app: FastifyInstance, { millrace, fields }: Parts): void {
  app.get<{ Querystring: PendingQuery }>(
    '/api/pending',
    { schema: queries.pending },
    async ({ query: { stream, group, from, ...wanted } }) =>
      await pendingPage(millrace, { stream, group }, { ...wanted, behind: from }, fields),
  )
  app.get<{ Querystring: { stream: string; id: string } }>(
    '/api/entry',
    { schema: queries.entry },
    async ({ query }) => await lookAt(millrace, query, fields),
  )
  app.get<{ Querystring: EntriesQuery }>(
    '/api/entries',
    { schema: queries.entries },
    async ({ query: { stream, ...options } }) => await entriesOf(millrace, stream, options, fields),
  )
}

function addLetterRoutes(app: FastifyInstance, { lettersOf, fields }: Parts): void {
  app.get<{ Querystring: LettersQuery }>(
    '/api/dead-letters',
    { schema: queries.letters },
    async ({ query }) => await letterPage(lettersOf(query), query, fields),
  )
  app.get<{ Querystring: OfGroup }>(
    '/api/dead-letters/reasons',
    { schema: queries.group },
    async ({ query }) => await reasonsOf(lettersOf(query)),
  )
  app.get<{ Querystring: OfGroup }>(
    '/api/dead-letters/export',
    { schema: queries.group },
    async ({ query }, reply) => {
      const file = `dead-letters-${query.group.replaceAll(/[^\w.-]/g, '_')}.ndjson`
      return await reply
        .type('application/x-ndjson')
        .header('content-disposition', `attachment; filename="${file}"`)
        .send(exported(lettersOf(query), fields))
    },
  )
}

/** Undefined unless both are given. */
export const named = ({ stream, group }: Partial<OfGroup>): OfGroup | undefined =>
  stream === undefined || group === undefined ? undefined : { stream, group }

/** Of a work that takes seconds: whoever asks for the same meanwhile gets the same answer. */
function sharing<Answer>(work: (group: OfGroup) => Promise<Answer>) {
  const underWay = new Map<string, Promise<Answer>>()
  return async (group: OfGroup): Promise<Answer> => {
    const key = JSON.stringify([group.stream, group.group])
    const known = underWay.get(key)
    if (known !== undefined) return await known
    const begun = work(group).finally(() => underWay.delete(key))
    underWay.set(key, begun)
    return await begun
  }
}

function settingsOf({ stream, group }: OfGroup): GroupSettings {
  const { deadLetters, leases, holders, retries, attempts, ledger } = groupKeys(stream, group)
  const keys = [
    { key: stream, is: 'the stream' },
    { key: deadLetters, is: 'dead letters' },
    { key: leases, is: 'leases and pauses of consumers' },
    { key: holders, is: 'who holds the leases' },
    { key: retries, is: 'when entries are tried again' },
    { key: attempts, is: 'failed attempts' },
    { key: ledger, is: 'what is accounted for' },
  ]
  return { stream, group, keys }
}
