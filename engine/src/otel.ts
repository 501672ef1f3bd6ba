/** `millrace/otel`: traces by OpenTelemetry. It needs `@opentelemetry/api`, which nothing else of the engine loads. */
export { tracing, type TracingOptions } from './otel/tracing.ts'
export type { Tracing } from './trace/tracing.ts'
