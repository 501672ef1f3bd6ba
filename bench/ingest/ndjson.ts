/** Check-ins as lines of one request, each answered by a line. */
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import type { Measured } from '../measure/rounds.ts'
import { whileReceiving } from './receiving.ts'
import { ingestRivals } from './rivals.ts'

/**
 * `rate`: lines per second, from the first one sent to the last result read. Resident memory of the receiver (bytes): `rssFifth` when a
 * fifth of the lines was answered, `rss` the most after that.
 */
export type NdjsonFigures = 'rate' | 'receiverMicros' | 'serverMicros' | 'rssFifth' | 'rss'

const warmUpLines = 100_000
const lookEveryMs = 200

/** Sends one stream. @throws {Error} unless each line has a result and each is an entry. */
export async function measureNdjson(lines: number): Promise<Measured<NdjsonFigures>> {
  return whileReceiving(ingestRivals.ours.name, async ({ port, watch, cost }) => {
    const warm = Math.min(warmUpLines, lines)
    await stream(port, warm, () => undefined)
    const end = await watch()
    const samples: { done: number; rss: number }[] = []
    let done = 0
    const look = setInterval(() => {
      void cost().then(({ rss }) => samples.push({ done, rss }))
    }, lookEveryMs)
    const own = process.cpuUsage()
    const startedAt = performance.now()
    await stream(port, lines, (count) => (done = count))
    const seconds = (performance.now() - startedAt) / 1000
    clearInterval(look)
    const { user, system } = process.cpuUsage(own)
    const { receiverMicros, serverMicros, disturbance } = await end(user + system)
    const last = (await cost()).rss
    const late = samples.filter((sample) => sample.done >= lines / 5).map(({ rss }) => rss)
    const figures = {
      rate: lines / seconds,
      receiverMicros: receiverMicros / lines,
      serverMicros: serverMicros / lines,
      rssFifth: late[0] ?? last,
      rss: Math.max(...late, last),
    }
    return { result: { ...disturbance, figures }, taken: warm + lines }
  })
}

const linesAtOnce = 1000
const newline = 10

/** Sends lines as fast as they are taken, and counts the results. */
async function stream(
  port: number,
  lines: number,
  progress: (results: number) => void,
): Promise<void> {
  const sent = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    path: '/api/checkins',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  // The first results come while lines are being sent.
  const sending = send(sent, lines)
  const [answer] = await answered
  let results = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    results += count(chunk)
    progress(results)
  }
  await sending
  if (answer.statusCode !== 207 || results !== lines) {
    throw new Error(`${lines} lines were sent, ${results} results came, ${answer.statusCode}`)
  }
}

async function send(to: ClientRequest, lines: number): Promise<void> {
  const text = Array.from({ length: linesAtOnce }, (_, at) => {
    const checkin = { userId: at + 1, locationId: (at % 200) + 1, starRating: at % 6 }
    return `${JSON.stringify(checkin)}\n`
  })
  const block = Buffer.from(text.join(''))
  for (let sent = 0; sent < lines; sent += linesAtOnce) {
    const rest = lines - sent
    const some = rest >= linesAtOnce ? block : Buffer.from(text.slice(0, rest).join(''))
    if (!to.write(some)) await once(to, 'drain')
  }
  to.end()
}

function count(chunk: Buffer): number {
  let found = 0
  for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) found += 1
  return found
}
