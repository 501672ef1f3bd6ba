/**
 * Whether the store takes check-ins. Promise: answered within the bounds of `calls`, whatever Redis does, and nothing is written for it.
 */
import { MillraceError, type Millrace, type MillraceErrorCode } from 'millrace'
import type { BoundedCalls } from '../limits/bounded-calls.ts'
import type { PressureSource } from '../limits/overload.ts'
import type { RefusalLog } from './refusal-log.ts'

/**
 * Why check-ins are refused. `backlog`, `memory`, `event-loop`: the pressure, or a full store; `rights`: the user may not append;
 * `stream-full`: the stream is at its last possible id; `replicas`: too few have what is appended; `wrong-type`: the key is no stream;
 * `refused`: for any other reason.
 */
type RefusalReason = (typeof refusalReasons)[number]

export const refusalReasons = [
  ...(['backlog', 'memory', 'event-loop'] as const),
  ...(['rights', 'stream-full', 'replicas', 'wrong-type', 'refused'] as const),
] as const

export type StoreState =
  | { readonly kind: 'taking' }
  /** It answers, and check-ins are refused. */
  | { readonly kind: 'refusing'; readonly reason: RefusalReason }
  /** It answers, but takes no work: it is a replica, loads its data, lacks replicas, or cannot write to its disk. */
  | { readonly kind: 'not-writable' }
  | { readonly kind: 'unreachable' }

export interface StoreParts {
  readonly millrace: Pick<Millrace, 'checkWritable'>
  readonly calls: BoundedCalls
  readonly pressure: PressureSource
  readonly refusals: Pick<RefusalLog, 'ofCheckins'>
}

/**
 * Asks the store by a script that writes nothing, which it refuses as it refuses an append. A PING would not do: a replica answers it, and
 * an idle receiver would not notice that it is at one. What only appends are refused for, the last of them have met.
 */
export async function storeState(parts: StoreParts): Promise<StoreState> {
  const { calls, millrace, pressure, refusals } = parts
  const asked = await calls
    .run(() => millrace.checkWritable({ fills: true }))
    .then(
      () => undefined,
      (error: unknown) => stateOf(error instanceof MillraceError ? error.code : 'UNREACHABLE'),
    )
  if (asked !== undefined) return asked
  const met = refusals.ofCheckins
  const known = met === undefined ? undefined : stateOf(met)
  // That it could not be reached is over: it has just answered.
  if (known !== undefined && known.kind !== 'unreachable') return known
  const { state } = pressure
  return state.kind === 'free' ? { kind: 'taking' } : { kind: 'refusing', reason: state.reason }
}

function stateOf(code: MillraceErrorCode): StoreState {
  if (code === 'READ_ONLY' || code === 'SERVER_BUSY') return { kind: 'not-writable' }
  const reason = reasons[code]
  return reason === undefined ? { kind: 'unreachable' } : { kind: 'refusing', reason }
}

const reasons: Partial<Readonly<Record<MillraceErrorCode, RefusalReason>>> = {
  SERVER_FULL: 'memory',
  AUTHENTICATION: 'rights',
  EXHAUSTED: 'stream-full',
  NOT_REPLICATED: 'replicas',
  WRONG_TYPE: 'wrong-type',
  REFUSED: 'refused',
}

/** Whether the store answers and takes no check-ins; what clients or this process are too quick for is none of it. */
export function isRefused(state: StoreState): boolean {
  if (state.kind === 'refusing') return !ofOurs.includes(state.reason)
  return state.kind === 'not-writable'
}

const ofOurs: readonly RefusalReason[] = ['backlog', 'event-loop']
