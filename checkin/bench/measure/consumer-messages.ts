/** What the benchmark tells a consumer process. */
export type Order = 'go' | 'usage'

/** What a consumer process answers. */
export type Report =
  | { readonly kind: 'ready' }
  /** Node's CPU time since `go`. */
  | { readonly kind: 'usage'; readonly cpuMicros: number }
  | { readonly kind: 'failed'; readonly message: string }
