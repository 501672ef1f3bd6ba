import type { NodeParts } from './node-profile.ts'

/** What the benchmark tells a consumer process. */
export type Order = 'go' | 'usage' | 'profile' | 'profiled'

/** What a consumer process answers. */
export type Report =
  | { readonly kind: 'ready' }
  /** Node's CPU time since `go`. */
  | { readonly kind: 'usage'; readonly cpuMicros: number }
  /** It profiles itself from now on. */
  | { readonly kind: 'profiling' }
  | { readonly kind: 'profiled'; readonly parts: NodeParts }
  | { readonly kind: 'failed'; readonly message: string }
