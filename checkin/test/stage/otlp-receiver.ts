/** Takes traces as a collector does: OTLP over HTTP, in protobuf, decoded by the numbers of its fields. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { waitFor } from '../../../testing/wait-for.ts'

export interface SentSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  /** Empty: a root. */
  readonly parentId: string
  readonly name: string
  /** 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number
  readonly attributes: Readonly<Record<string, string | number>>
  /** Ids of the spans to which it links. */
  readonly links: readonly string[]
  readonly hasFailed: boolean
}

export interface OtlpReceiver {
  /** For `--otlp`. */
  readonly url: string
  readonly spans: readonly SentSpan[]
  /** Waits until there are so many spans of a trace. */
  ofTrace(traceId: string, many: number): Promise<readonly SentSpan[]>
}

/** Starts one until the test ends. `status`: what it answers. */
export async function startOtlpReceiver(t: TestContext, status = 200): Promise<OtlpReceiver> {
  const spans: SentSpan[] = []
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (request.url === '/v1/traces' && status === 200) spans.push(...spansIn(body))
      response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ofTrace = (traceId: string, many: number) =>
    waitFor(
      () => {
        const found = spans.filter((span) => span.traceId === traceId)
        return found.length >= many && found
      },
      { what: `${many} spans of trace ${traceId}` },
    )
  return { url: `http://127.0.0.1:${port}`, spans, ofTrace }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const body = Buffer.concat(await request.toArray())
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
}

/** Fields of a message of protobuf, by their numbers: bytes, or integers. */
type Message = Map<number, (Buffer | bigint)[]>

function messageIn(bytes: Buffer): Message {
  const message: Message = new Map()
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error('protobuf ends within a number')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number): Buffer => bytes.subarray(at, (at += length))
  while (at < bytes.length) {
    const tag = Number(varint())
    const wire = tag & 7
    const value =
      wire === 0
        ? varint()
        : wire === 1
          ? take(8).readBigUInt64LE()
          : wire === 2
            ? take(Number(varint()))
            : BigInt(take(4).readUInt32LE())
    message.set(tag >> 3, [...(message.get(tag >> 3) ?? []), value])
  }
  return message
}

const all = (message: Message, field: number): Message[] =>
  (message.get(field) ?? []).map((value) => messageIn(value as Buffer))
const bytes = (message: Message, field: number): Buffer =>
  (message.get(field)?.[0] as Buffer | undefined) ?? Buffer.alloc(0)
const number = (message: Message, field: number): number => Number(message.get(field)?.[0] ?? 0)
const text = (message: Message, field: number): string => bytes(message, field).toString('utf8')
const id = (message: Message, field: number): string => bytes(message, field).toString('hex')

function attributesIn(pairs: readonly Message[]): Record<string, string | number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const value = messageIn(bytes(pair, 2))
      return [text(pair, 1), value.has(1) ? text(value, 1) : number(value, 3)]
    }),
  )
}

/** The numbers are those of `opentelemetry/proto/trace/v1/trace.proto`. */
function spansIn(body: Buffer): SentSpan[] {
  return all(messageIn(body), 1).flatMap((resourceSpans) => {
    const [resource] = all(resourceSpans, 1)
    const service = String(
      attributesIn(resource === undefined ? [] : all(resource, 1))['service.name'],
    )
    return all(resourceSpans, 2)
      .flatMap((scopeSpans) => all(scopeSpans, 2))
      .map((span) => ({
        service,
        traceId: id(span, 1),
        spanId: id(span, 2),
        parentId: id(span, 4),
        name: text(span, 5),
        kind: number(span, 6),
        attributes: attributesIn(all(span, 9)),
        links: all(span, 13).map((link) => id(link, 2)),
        hasFailed: all(span, 15).some((status) => number(status, 3) === 2),
      }))
  })
}
