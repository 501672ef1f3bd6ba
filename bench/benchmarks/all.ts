import { apply } from './apply.ts'
import type { Benchmark } from './benchmark.ts'
import { growth } from './growth.ts'
import { handler } from './handler.ts'
import { idle } from './idle.ts'
import { ingest } from './ingest.ts'
import { latency } from './latency.ts'
import { profile } from './profile.ts'
import { recovery } from './recovery.ts'

/** Every benchmark, in the order in which they run and are reported. A new one is registered here. */
export const benchmarks: readonly Benchmark[] = [
  apply,
  handler,
  latency,
  idle,
  recovery,
  growth,
  ingest,
  profile,
]
