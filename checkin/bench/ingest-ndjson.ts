/** The part of the benchmark `ingest` about streams: check-ins as lines of one request, each answered by a line. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { fileURLToPath } from 'node:url'
import { startRedis } from '../../testing/redis-servers.ts'
import { openClient } from './measure/client.ts'
import type { Cost, Listening } from './ingest/messages.ts'
import type { AppendOnly } from './measure/server-figures.ts'

export interface NdjsonSettings {
  /** Lines of the stream. */
  readonly lines: number
  readonly appendOnly: AppendOnly
}

export interface NdjsonResult {
  readonly lines: number
  readonly seconds: number
  /** Check-ins a second, from the first line sent to the last result read. */
  readonly rate: number
  /** CPU of the receiver's process for a check-in, in microseconds. */
  readonly cpuMicros: number
  /** Resident memory of the receiver, in bytes: when a fifth of the lines was answered, the most after that, and at the end. */
  readonly rss: { readonly fifth: number; readonly most: number; readonly last: number }
}

/**
 * Sends one stream through one receiver.
 * @throws {Error} unless each line has a result and each is an entry.
 */
export async function runNdjson(settings: NdjsonSettings): Promise<NdjsonResult> {
  const redis = await startRedis({ appendonly: settings.appendOnly })
  const file = fileURLToPath(new URL('ingest/server-process.ts', import.meta.url))
  const server = fork(file, ['millrace', redis.url], { execArgv: process.execArgv })
  try {
    const [{ port }] = (await once(server, 'message')) as [Listening]
    await stream(port, 100_000, () => undefined)
    const before = await cost(server)
    const memory: { done: number; rss: number }[] = []
    let done = 0
    const watch = setInterval(() => {
      void cost(server).then(({ rss }) => memory.push({ done, rss }))
    }, 200)
    const startedAt = performance.now()
    await stream(port, settings.lines, (count) => (done = count))
    const seconds = (performance.now() - startedAt) / 1000
    clearInterval(watch)
    const after = await cost(server)
    await checkStream(redis.url, settings.lines + 100_000)
    const late = memory.filter((sample) => sample.done >= settings.lines / 5)
    const sizes = late.map(({ rss }) => rss)
    return {
      lines: settings.lines,
      seconds,
      rate: settings.lines / seconds,
      cpuMicros: (after.cpuMicros - before.cpuMicros) / settings.lines,
      rss: { fifth: sizes[0] ?? after.rss, most: Math.max(...sizes, after.rss), last: after.rss },
    }
  } finally {
    server.kill('SIGKILL')
    await redis.stop()
  }
}

/** The result as a sentence. */
export function ndjsonSentence({ lines, rate, cpuMicros, rss }: NdjsonResult): string {
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`
  return (
    `NDJSON: ${lines.toLocaleString('en-US')} check-ins in one stream, ${Math.round(rate).toLocaleString('en-US')}/s, ` +
    `${cpuMicros.toFixed(2)} µs CPU of the receiver each; its resident memory after a fifth ${mb(rss.fifth)}, ` +
    `most ${mb(rss.most)}, at the end ${mb(rss.last)}\n`
  )
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

async function checkStream(url: string, expected: number): Promise<void> {
  const client = await openClient(url)
  const entries = await client.xLen('ncc:checkins')
  client.destroy()
  if (entries !== expected) {
    throw new Error(`${expected} check-ins were taken, ${entries} are in the stream`)
  }
}

async function cost(server: ChildProcess): Promise<Cost> {
  server.send('cost')
  const [value] = (await once(server, 'message')) as [Cost]
  return value
}
