/** What the tests of streams share. */
import type { ResultLine } from './ndjson-client.ts'
import { valid, type Answer, type Stage } from './receiver-stage.ts'

const header = { 'content-type': 'application/x-ndjson' }
export const wrong = { ...valid, userId: '7' }

/** Sends a body of known length. */
export function send({ get }: Stage, body: string, query = ''): Promise<Answer> {
  return get(`/api/checkins${query}`, { method: 'POST', headers: header, body })
}

/** The results in an answer. */
export function lines({ text }: Answer): ResultLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ResultLine)
}

export const statuses = (results: readonly ResultLine[]): number[] =>
  results.map(({ status }) => status)
