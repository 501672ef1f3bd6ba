/** What the routes take, as JSON schemas: anything else is answered with 400. */
const name = { type: 'string', minLength: 1, maxLength: 512 } as const
const id = { type: 'string', pattern: '^\\d{1,20}-\\d{1,20}$' } as const
/** An id, or a time in milliseconds. */
const place = { type: 'string', pattern: '^\\d{1,20}(?:-\\d{1,20})?$' } as const

/** The schema of a query. */
interface Query {
  readonly querystring: object
}

const object = (properties: object, required: readonly string[]): Query => ({
  querystring: { type: 'object', additionalProperties: false, properties, required },
})

const count = (most: number): object => ({
  type: 'integer',
  minimum: 1,
  maximum: most,
  default: 100,
})

const ofGroup = { stream: name, group: name }

type Named = 'none' | 'maybeGroup' | 'group' | 'pending' | 'letters' | 'entry' | 'entries'

export const queries: Readonly<Record<Named, Query>> = {
  none: object({}, []),
  maybeGroup: object(ofGroup, []),
  group: object(ofGroup, ['stream', 'group']),
  pending: object(
    {
      ...ofGroup,
      consumer: name,
      idleMs: { type: 'integer', minimum: 0 },
      from: id,
      count: count(200),
    },
    ['stream', 'group'],
  ),
  letters: object(
    {
      ...ofGroup,
      reason: { type: 'string', maxLength: 100 },
      like: { type: 'string', maxLength: 2000 },
      from: id,
      count: count(200),
    },
    ['stream', 'group'],
  ),
  entry: object({ stream: name, id }, ['stream', 'id']),
  entries: object(
    {
      stream: name,
      from: place,
      to: place,
      after: id,
      order: { enum: ['oldest', 'newest'], default: 'newest' },
      count: count(200),
    },
    ['stream'],
  ),
}

export interface OfGroup {
  readonly stream: string
  readonly group: string
}

export interface PendingQuery extends OfGroup {
  readonly consumer?: string
  readonly idleMs?: number
  readonly from?: string
  readonly count: number
}

export interface LettersQuery extends OfGroup {
  readonly reason?: string
  readonly like?: string
  readonly from?: string
  readonly count: number
}

export interface EntriesQuery {
  readonly stream: string
  readonly from?: string
  readonly to?: string
  readonly after?: string
  readonly order: 'oldest' | 'newest'
  readonly count: number
}
