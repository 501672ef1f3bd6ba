import { apply } from './apply.ts'
import type { Benchmark } from './benchmark.ts'
import { handler } from './handler.ts'

/** Every benchmark, in the order in which they run and are reported. A new one is registered here. */
export const benchmarks: readonly Benchmark[] = [apply, handler]
