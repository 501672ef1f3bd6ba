import type { TestContext } from 'node:test'
import {
  average,
  connect,
  count,
  entryTime,
  integer,
  latest,
  projection,
  stream,
  sum,
  type ConnectOptions,
  type Consumer,
  type ConsumerOptions,
  type Group,
  type Millrace,
} from 'millrace'
import { freshPrefix, type Bench } from '../../../testing/on-each-server.ts'
import type { TestClient } from '../../../testing/test-client.ts'
import { waitFor } from '../../../testing/wait-for.ts'

/** A stream of visits with its group and two projections, under a prefix of its own. */
export function visitModel(prefix: string) {
  return {
    prefix,
    visits: stream(`${prefix}:visits`, {
      guest: integer(1),
      room: integer(1),
      stars: integer(0, 5),
    }),
    guests: projection(`${prefix}:guests:{guest}`, {
      visits: count(),
      seen: latest(entryTime()),
      room: latest('room'),
    }),
    rooms: projection(`${prefix}:rooms:{room}`, {
      visits: count(),
      stars: sum('stars'),
      mean: average('stars', 'visits'),
    }),
    dead: `${prefix}:visits:desk:dead`,
  }
}

type VisitModel = ReturnType<typeof visitModel>
export type VisitFields = VisitModel['visits']['fields']

export interface Fixture extends VisitModel {
  readonly millrace: Millrace
  readonly redis: TestClient
  readonly group: Group<VisitFields>
}

/** A fresh stream with its group `desk`, begun at 0. */
export async function freshGroup({ millrace, redis }: Bench): Promise<Fixture> {
  const model = visitModel(freshPrefix())
  const group = millrace.group(model.visits, 'desk')
  await group.create()
  return { ...model, millrace, redis, group }
}

/** Connects to another URL (a proxy), closed after the test. */
export async function connectFor(t: TestContext, options: ConnectOptions): Promise<Millrace> {
  const millrace = await connect(options)
  t.after(() => millrace.close())
  return millrace
}

/** A visit that differs by its number. */
export function visit(n: number): { guest: number; room: number; stars: number } {
  return { guest: 1 + (n % 7), room: 1 + (n % 3), stars: n % 6 }
}

/** Appends visits with one millisecond each. */
export async function appendVisits({ millrace, visits }: Fixture, many: number): Promise<string[]> {
  const additions = Array.from({ length: many }, (_, n) => ({ values: visit(n), id: `${n + 1}-0` }))
  return await millrace.appendMany(visits, additions)
}

/** Reads entries as a consumer that then dies: they stay pending for its name. */
export async function readAndDie({ redis, visits }: Fixture, consumer: string, many: number) {
  const count = ['COUNT', String(many)]
  await redis.send('XREADGROUP', 'GROUP', 'desk', consumer, ...count, 'STREAMS', visits.key, '>')
}

/** Makes a consumer's pending entries look as old as asked; the delivery count stays. */
export async function age({ redis, visits }: Fixture, consumer: string, idleMs: number) {
  const rows = await redis.send('XPENDING', visits.key, 'desk', '-', '+', '1000', consumer)
  for (const [id] of rows as string[][]) {
    const claim = [visits.key, 'desk', consumer, '0', id ?? '']
    await redis.send('XCLAIM', ...claim, 'IDLE', String(idleMs), 'JUSTID')
  }
}

/** Runs a consumer until the test ends. Its failure, if any, is what `failed` resolves to. */
export function startConsumer(
  t: TestContext,
  { group, guests, rooms }: Pick<Fixture, 'group' | 'guests' | 'rooms'>,
  name: string,
  options: ConsumerOptions<VisitFields> = {},
): { consumer: Consumer<VisitFields>; ended: Promise<unknown> } {
  const consumer = group.consumer(name, { projections: [guests, rooms], ...options })
  const ended = consumer.run().then(
    () => undefined,
    (error: unknown) => {
      // The promise of an error would become the error itself on its way to whoever waits for it.
      if (error instanceof Promise) throw new TypeError('The consumer ended with a promise')
      return error
    },
  )
  t.after(() => consumer.stop())
  return { consumer, ended }
}

/** Waits until everything that was appended is acknowledged. */
export async function untilDrained({ group }: Fixture): Promise<void> {
  await waitFor(() => group.isDrained(), { what: 'the group to be drained' })
}

/** How many entries took effect: the same number must show on both sides. */
export async function effects({
  redis,
  prefix,
}: Fixture): Promise<{ guests: number; rooms: number }> {
  const total = async (kind: string): Promise<number> => {
    const keys = (await redis.send('KEYS', `${prefix}:${kind}:*`)) as string[]
    const counts = await Promise.all(
      // A test may have put another type there.
      keys.map((key) => redis.send('HGET', key, 'visits').catch(() => 0)),
    )
    return counts.map(Number).reduce((sum, some) => sum + some, 0)
  }
  return { guests: await total('guests'), rooms: await total('rooms') }
}
