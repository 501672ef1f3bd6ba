/** What the tests of retention share. */
import type { TrimOptions, TrimOutcome } from 'millrace'
import type { Fixture } from './fixture.ts'

export function trim(
  { millrace, visits }: Fixture,
  options: TrimOptions = {},
): Promise<TrimOutcome> {
  return millrace.trim(visits, options)
}

/** The ids in the stream, as their numbers. */
export async function kept({ redis, visits }: Fixture): Promise<number[]> {
  const entries = (await redis.send('XRANGE', visits.key, '-', '+')) as [string][]
  return entries.map(([id]) => Number(id.replace(/-0$/, '')))
}

export async function acknowledge({ redis, visits }: Fixture, ...numbers: number[]): Promise<void> {
  await redis.send('XACK', visits.key, 'desk', ...numbers.map((n) => `${n}-0`))
}

/** Delivers entries to a group and acknowledges all of them. */
export async function process(fixture: Fixture, group: string, many: number): Promise<void> {
  const { redis, visits } = fixture
  const count = ['COUNT', String(many)]
  const read = ['XREADGROUP', 'GROUP', group, 'one', ...count, 'STREAMS', visits.key, '>']
  const [[, entries] = []] = (await redis.send(...read)) as [string, [string][]][]
  await redis.send('XACK', visits.key, group, ...(entries ?? []).map(([id]) => id))
}

/** Claims whatever is pending in a group, for a consumer; `lost` are those whose body is gone. */
export async function claimAll(
  { redis, visits }: Fixture,
  group: string,
  consumer: string,
): Promise<{ ids: string[]; lost: string[] }> {
  const args = ['XAUTOCLAIM', visits.key, group, consumer, '0', '0', 'COUNT', '1000']
  const [, claimed, lost] = (await redis.send(...args)) as [string, [string][], string[]]
  return { ids: claimed.map(([id]) => id), lost }
}
