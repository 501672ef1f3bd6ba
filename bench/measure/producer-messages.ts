/** What a producer process is told when it starts, as JSON. */
export interface ProducerOrder {
  /** Name of the rival's program, whose backlog it fills. */
  readonly program: string
  readonly url: string
  /** Check-ins per second. */
  readonly rate: number
  readonly count: number
  readonly probeEvery: number
}

/** What a producer process says. Times are of the system's monotonic clock, in ms. */
export type ProducerReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'done'
      /** When the first check-in was due. */
      readonly startedAt: number
      /** How late the first of each pipeline was handed to the connection. */
      readonly lateMs: readonly number[]
      readonly cpuMicros: number
    }
  | { readonly kind: 'failed'; readonly message: string }
