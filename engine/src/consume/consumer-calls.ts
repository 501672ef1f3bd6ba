/** What the parts of a consumer know of it. */

/** What the parts tell the consumer that they are of. */
export interface ConsumerCalls {
  /** Aborts when the consumer shall end. */
  readonly signal: AbortSignal
  /** Its own pending entries are read, on each new connection. */
  readonly onCaughtUp: () => void
  /** A read found nothing. Resolves to true when the reader shall end. */
  readonly onNothing: () => Promise<boolean>
  /** Whether it is paused, at each sweep. */
  readonly onPaused: (isPaused: boolean) => void
  /** A failure that does not pass, or a bug. */
  readonly onFailure: (error: unknown) => void
}

/** Whose parts these are: what nearly every part is given. */
export interface Identity {
  readonly group: string
  readonly consumer: string
}
