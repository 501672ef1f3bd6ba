/**
 * What the engine tells of its work while it is traced. Nothing but types: what stands behind them is made by `millrace/otel`, and
 * without it none of this is called.
 */

/** Fields of an entry by their names, beyond those that its stream declares. */
export type Extra = Readonly<Record<string, string>>

/** The fields of an entry that its stream does not declare, in their order: the trace context is among them. */
export type Carried = readonly (readonly [name: string, value: string])[] | undefined

/** An entry, as far as a trace is about it. */
export interface TracedEntry {
  readonly id: string
  readonly carried: Carried
}

/** A call that appends to a stream. */
export interface TracedAppend {
  readonly stream: { readonly key: string; readonly fields: Readonly<Record<string, unknown>> }
  /** Entries, of a call that takes many; undefined: of one that takes one. */
  readonly count?: number
  /** What the caller gives to the entries beyond the declared fields: of each, or one for all. */
  readonly extras: readonly (Extra | undefined)[]
}

/** Adds the trace context to what the caller gives an entry beyond its declared fields; a context that stands there stays. */
export type Carry = (extra: Extra | undefined) => Extra | undefined

/** Whose work is traced. */
export interface TracedConsumer {
  /** Key of the stream. */
  readonly stream: string
  /** Undefined: a reader, which needs none. */
  readonly group: string | undefined
  /** Name of the consumer or the reader. */
  readonly name: string
}

/** An attempt of a handler. */
export interface TracedAttempt extends TracedEntry {
  /** 1 for the first one. */
  readonly attempt: number
  /** Aborted: a handler that fails has broken off, and its entry is given back. */
  readonly signal: AbortSignal
}

export interface TracedLetter extends TracedEntry {
  readonly reason: string
  readonly error: string
}

/** A batch that was folded in the server. */
export interface TracedFold {
  /** Entries that it took. */
  readonly count: number
  /** Those that were looked at. */
  readonly entries: readonly TracedEntry[]
  /** From the request to the reply, in milliseconds since 1970. */
  readonly from: number
  readonly to: number
}

/** What a consumer or a reader tells. Nothing of it throws by itself. */
export interface ConsumerTracing {
  /** Of push-down: batches that are told each second at most, and entries of each that are looked at. */
  readonly folds: { readonly perSecond: number; readonly entries: number }
  /** Calls `work`, which decides about one entry, inside its span. */
  handle<Result extends { readonly kind: string }>(
    attempt: TracedAttempt,
    work: () => Promise<Result>,
  ): Promise<Result>
  /** Calls `work`, which applies and acknowledges a batch. `isHandled`: handlers have decided about its entries. */
  settle(
    batch: { readonly entries: readonly TracedEntry[]; readonly isHandled: boolean },
    work: () => Promise<void>,
  ): Promise<void>
  folded(batch: TracedFold): void
  /** They are written. */
  deadLettered(letters: readonly TracedLetter[]): void
}

/** What `tracing()` of `millrace/otel` returns, for `connect`. */
export interface Tracing {
  /** @param url of the server, without its password */
  at(url: string): ServerTracing
}

/** Tells of what is done at one server. */
export interface ServerTracing {
  /** Calls `work`, which appends, inside its span. What it resolves to is the id of the entry, where it is a text. */
  send<Result>(append: TracedAppend, work: (carry: Carry) => Promise<Result>): Promise<Result>
  consumer(who: TracedConsumer): ConsumerTracing
}
