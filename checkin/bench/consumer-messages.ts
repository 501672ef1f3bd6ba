/** What the benchmark tells a consumer process. */
export type Order = 'go' | 'stop'

/** What a consumer process answers. */
export type Report =
  | { readonly kind: 'ready' }
  /** Node's CPU time from `go` to `stop`. */
  | { readonly kind: 'stopped'; readonly cpuMicros: number }
  | { readonly kind: 'failed'; readonly message: string }
