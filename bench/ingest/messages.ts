/** What the processes of the benchmark `ingest` say to each other. */

/** To the load process: post check-ins for a while. */
export interface LoadOrder {
  readonly port: number
  readonly path: string
  readonly connections: number
  readonly seconds: number
  /** Requests a second, sent whether or not earlier ones are answered; undefined: each connection posts as soon as it may. */
  readonly rate?: number
}

/**
 * From the load process: what became of them. Latencies (ms) count from the time at which a request should have been sent, without the first half second, or fifth when
 * that is less. */
export interface LoadReport {
  readonly seconds: number
  /** Answers by status. */
  readonly answers: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
  /** Requests written to a connection. */
  readonly sent: number
  /** CPU time of the load process itself, in microseconds. */
  readonly cpuMicros: number
  /** Requests that were due at the rate, but all connections were busy until the end, or too many waited. */
  readonly unsent: number
  /** Requests that were due shortly before the end, and waited for a connection at it. */
  readonly waiting: number
}

/** From a server process, once it listens. */
export interface Listening {
  readonly port: number
}

/** From a server process that was asked for it: CPU since its start (µs), and its resident memory (bytes). */
export interface Cost {
  readonly cpuMicros: number
  readonly rss: number
}
