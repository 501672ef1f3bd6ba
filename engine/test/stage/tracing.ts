/** Traces of a test, by the real SDK of OpenTelemetry, kept in memory. */
import type { TestContext } from 'node:test'
import { context, type SpanContext } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  AlwaysOnSampler,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import { tracing, type TracingOptions } from 'millrace/otel'
import type { Bench } from '../../../testing/on-each-server.ts'
import { waitFor } from '../../../testing/wait-for.ts'
import { connectFor, freshGroup, visit, type Fixture } from './fixture.ts'

// One for the process; it alone carries the span into what a handler awaits.
context.setGlobalContextManager(new AsyncLocalStorageContextManager())

export interface Traced extends Fixture {
  readonly provider: BasicTracerProvider
  /** Those that have ended, oldest end first. */
  readonly spans: () => ReadableSpan[]
  /** Waits for so many spans of this name, its operation. */
  readonly ended: (operation: string, many?: number) => Promise<ReadableSpan[]>
}

/** A fresh group of visits, by a Millrace that is traced. */
export async function freshTraced(
  t: TestContext,
  bench: Bench,
  options: TracingOptions & {
    readonly sampler?: Sampler
    readonly processors?: readonly SpanProcessor[]
  } = {},
): Promise<Traced> {
  const {
    sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    processors = [],
    ...given
  } = options
  const exporter = new InMemorySpanExporter()
  const spanProcessors = [new SimpleSpanProcessor(exporter), ...processors]
  const provider = new BasicTracerProvider({ sampler, spanProcessors })
  const millrace = await connectFor(t, {
    url: bench.millrace.url,
    tracing: tracing({ provider, ...given }),
  })
  const fixture = await freshGroup({ ...bench, millrace })
  const spans = () => exporter.getFinishedSpans()
  const ended = (operation: string, many = 1): Promise<ReadableSpan[]> =>
    waitFor(
      () => {
        const found = spans().filter(({ name }) => name.startsWith(`${operation} `))
        return found.length >= many && found
      },
      { what: `${many} spans "${operation}"` },
    )
  return { ...fixture, provider, spans, ended }
}

/** The fields of an entry beyond those of a visit. */
export async function carriedBy(
  { redis, visits }: Fixture,
  id: string,
): Promise<Record<string, string>> {
  const [entry] = (await redis.send('XRANGE', visits.key, id, id)) as [string, string[]][]
  const flat = entry?.[1] ?? []
  const pairs = Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]])
  const declared = Object.keys(visits.fields)
  return Object.fromEntries(pairs.filter(([name = '']) => !declared.includes(name))) as Record<
    string,
    string
  >
}

export function traceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags}`
}

/** The contexts to which a span links. */
export function linkedBy({ links }: ReadableSpan): string[] {
  return links.map((link) => traceparent(link.context))
}

/** Appends a visit. Returns its id, and the context that it carries. */
export async function appended(fixture: Traced, n = 1): Promise<{ id: string; parent: string }> {
  const id = await fixture.millrace.append(fixture.visits, visit(n))
  return { id, parent: (await carriedBy(fixture, id)).traceparent ?? '' }
}

/** An attribute of a span. */
export const of = (span: ReadableSpan | undefined, attribute: string) => span?.attributes[attribute]
