/**
 * The semantic conventions of OpenTelemetry for messaging (1.44) and errors, as far as Millrace follows them. Those for messaging are in
 * development: where a name changes, it changes here.
 */
import type { Attributes } from '@opentelemetry/api'
import { MillraceError } from '../support/errors.ts'
import type { TracedConsumer } from '../trace/tracing.ts'

const system = 'messaging.system'
const destination = 'messaging.destination.name'
const operationName = 'messaging.operation.name'
const operationType = 'messaging.operation.type'
const consumerGroup = 'messaging.consumer.group.name'
const client = 'messaging.client.id'
const messageId = 'messaging.message.id'
const messageCount = 'messaging.batch.message_count'
const errorType = 'error.type'
const serverAddress = 'server.address'
const serverPort = 'server.port'

// None of the values that the conventions list is meant for streams of Redis; then a name of one's own is allowed.
const redisStreams = 'redis_streams'
// Beyond the conventions, under our own name.
const attempt = 'millrace.attempt'
const outcome = 'millrace.outcome'
const sampled = 'millrace.batch.sampled_count'

/** Links that a span keeps by default; more would be dropped. */
export const linksMax = 128

/** What is done with entries. The name of a span is that of its operation and the stream. */
export const operations = {
  send: { name: 'send', type: 'send' },
  process: { name: 'process', type: 'process' },
  acknowledge: { name: 'ack', type: 'settle' },
  deadLetter: { name: 'dead-letter', type: 'settle' },
} as const
export type Operation = (typeof operations)[keyof typeof operations]

export function spanName({ name }: Operation, stream: string): string {
  return `${name} ${stream}`
}

export function operationAttributes({ name, type }: Operation): Attributes {
  return { [operationName]: name, [operationType]: type }
}

export function streamAttributes(stream: string): Attributes {
  return { [system]: redisStreams, [destination]: stream }
}

export function consumerAttributes({ stream, group, name }: TracedConsumer): Attributes {
  const ofGroup = group === undefined ? {} : { [consumerGroup]: group }
  return { ...streamAttributes(stream), ...ofGroup, [client]: name }
}

/** @param url of a server of Redis, without its password */
export function serverAttributes(url: string): Attributes {
  const { protocol, hostname, port, pathname } = new URL(url)
  if (protocol === 'unix:') return { [serverAddress]: pathname }
  // An address of IPv6 stands in brackets in a URL alone.
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  return { [serverAddress]: host, [serverPort]: Number(port || 6379) }
}

export function messageAttributes(id: string): Attributes {
  return { [messageId]: id }
}

export function batchAttributes(count: number): Attributes {
  return { [messageCount]: count }
}

/** Of a batch of which only some entries were looked at. */
export function sampledAttributes(count: number): Attributes {
  return { [sampled]: count }
}

/** @param number 1 for the first one, of whichever process */
export function attemptAttributes(number: number): Attributes {
  return { [attempt]: number }
}

/** What a handler decided, or `given-back`: it broke off because the consumer stops. */
export function outcomeAttributes(kind: string): Attributes {
  return { [outcome]: kind }
}

/** @param type one of few: it is no place for what differs from failure to failure */
export function errorAttributes(type: string): Attributes {
  return { [errorType]: type }
}

/** The `error.type` of what was thrown. */
export function errorTypeOf(error: unknown): string {
  if (error instanceof MillraceError) return error.code
  return error instanceof Error && error.name !== '' ? error.name : '_OTHER'
}
