import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { propertyRuns } from '../../../../testing/property-runs.ts'
import { anyBody, expectedFields, fieldsOf } from '../../stage/any-body.ts'
import { receiverStage, type Answer, type Stage } from '../../stage/receiver-stage.ts'

async function send(
  { get, redis }: Stage,
  type: string,
  body: string,
): Promise<[Answer, string[][]]> {
  await redis.send('DEL', 'ncc:checkins')
  const init = { method: 'POST', headers: { 'content-type': type }, body }
  const answer = await get('/api/checkins', init)
  const entries = (await redis.send('XRANGE', 'ncc:checkins', '-', '+')) as [string, string[]][]
  return [answer, entries.map(([, fields]) => fields)]
}

const reaches = /__proto__|constructor/

const full = 500

/** A shorter run may not meet each status. */
function assertMet(seen: ReadonlyMap<number, number>, statuses: readonly number[]): void {
  if (propertyRuns(full) < full) return
  for (const status of statuses) {
    assert.ok((seen.get(status) ?? 0) > 10, `${status}: ${seen.get(status) ?? 0} times`)
  }
}

test('nothing but valid check-ins of an array reaches the stream', async (t) => {
  const stage = await receiverStage(t)
  const seen = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(anyBody, { minLength: 1, maxLength: 4 }), async (texts) => {
      const body = `[${texts.join(',')}]`
      const [answer, fields] = await send(stage, 'application/json', body)
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      const expected = expectedOfArray(body)
      // A name that reaches for prototypes may refuse its item or the whole body; nothing else is lost for it.
      if (reaches.test(body) && (answer.status === 400 || fields.length < expected.length)) return
      assert.deepEqual(fields, expected)
      const isMixed = answer.status === 202 || answer.status === 207
      assert.equal(isMixed, expected.length > 0, answer.text)
    }),
    { numRuns: propertyRuns(full) },
  )
  assertMet(seen, [202, 207, 400, 422])
})

function expectedOfArray(body: string): string[][] {
  try {
    const values = JSON.parse(body) as unknown
    return Array.isArray(values)
      ? values.flatMap((value) => [fieldsOf(value) ?? []]).filter(isThere)
      : []
  } catch {
    return []
  }
}

const isThere = (fields: readonly string[]): boolean => fields.length > 0

test('nothing but valid lines of a stream reaches the stream', async (t) => {
  const stage = await receiverStage(t)
  const seen = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(anyBody, { minLength: 1, maxLength: 4 }), async (texts) => {
      const body = texts.join('\n')
      const [answer, fields] = await send(stage, 'application/x-ndjson', body)
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
      const lines = body.split('\n').filter((line) => !/^[ \t\r]*$/.test(line))
      const expected = lines.flatMap((line) => [expectedFields(line) ?? []])
      if (!reaches.test(body)) assert.deepEqual(fields, expected.filter(isThere))
      if (lines.length === 0) return
      const results = answer.text.split('\n').slice(0, -1)
      const statuses = results.map((line) => (JSON.parse(line) as { status: number }).status)
      assert.equal(statuses.length, lines.length)
      for (const [at, status] of statuses.entries()) {
        const isValid = isThere(expected[at] ?? []) && !reaches.test(lines[at] ?? '')
        if (isValid) assert.equal(status, 202, lines[at])
        if (!isThere(expected[at] ?? [])) assert.ok(status === 400 || status === 422, lines[at])
      }
      assert.equal(statuses.filter((status) => status === 202).length, fields.length)
    }),
    { numRuns: propertyRuns(full) },
  )
  assertMet(seen, [202, 207, 422])
})
