/**
 * What a caller can act on. Stable: programs may compare it.
 *
 * - `UNREACHABLE`: there is no connection; the command was not sent.
 * - `DISCONNECTED`, `TIMEOUT`: the connection was lost or fell silent after the command was sent; its outcome is unknown.
 * - `AUTHENTICATION`: the server refused user or password, or the user lacks a right.
 * - `CLOSED`: the program has closed its Millrace.
 * - `SERVER_TOO_OLD`: Redis before 7.0.
 * - `SERVER_FULL`: `maxmemory` is reached; nothing was written.
 * - `SERVER_BUSY`: the server loads its data, runs a long script, or cannot write to its disk or replicas now.
 * - `READ_ONLY`: the server is a replica.
 * - `NO_STREAM`, `NO_GROUP`: the stream key or the group does not exist.
 * - `GROUP_MOVED`: the group was moved back, or created again, behind what it has settled already.
 * - `GROUP_LOST`: the group does not exist, but has settled entries before.
 * - `WRONG_TYPE`: a key of ours holds another type.
 * - `NAME_TAKEN`: a living consumer of the group has the name.
 * - `SUPERSEDED`: another process has taken the name over, because this one did not renew its lease in time.
 * - `CONSUMER_ALIVE`, `NO_CONSUMER`: a consumer cannot be removed while its lease runs, or does not exist.
 * - `POSITION_MOVED`: somebody else moves the position that this reader keeps.
 * - `PROJECTION_CHANGED`: the hashes of this group or reader were folded by other projections.
 * - `NOT_REPLICATED`: the server has appended it, but not as many replicas as asked for have confirmed it in time.
 * - `EXHAUSTED`: the stream is at the last possible id; nothing can be appended to it any more.
 * - `REFUSED`: the server refused the command for any other reason.
 */
export type MillraceErrorCode =
  | 'UNREACHABLE'
  | 'DISCONNECTED'
  | 'TIMEOUT'
  | 'AUTHENTICATION'
  | 'CLOSED'
  | 'SERVER_TOO_OLD'
  | 'SERVER_FULL'
  | 'SERVER_BUSY'
  | 'READ_ONLY'
  | 'NO_STREAM'
  | 'NO_GROUP'
  | 'GROUP_MOVED'
  | 'GROUP_LOST'
  | 'WRONG_TYPE'
  | 'NAME_TAKEN'
  | 'SUPERSEDED'
  | 'CONSUMER_ALIVE'
  | 'NO_CONSUMER'
  | 'POSITION_MOVED'
  | 'PROJECTION_CHANGED'
  | 'NOT_REPLICATED'
  | 'EXHAUSTED'
  | 'REFUSED'

/** The parts of a message: `action: state. remedy`. */
export interface FailureParts {
  /** What could not be done: `Cannot trim stream "..."`. Undefined: the state says it, as the text of a server's reply does. */
  readonly action?: string | undefined
  /** Why: `it does not exist`. */
  readonly state: string
  /** What helps, as sentences without the last full stop. */
  readonly remedy?: string | undefined
}

/** A failure outside the program: of the server, the connection or the keys. Its message holds no password. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: MillraceErrorCode
  /** Parts of the message. Undefined where it is no more than a sentence; `remedy` also where nothing is known to help. */
  readonly action: string | undefined
  readonly state: string | undefined
  readonly remedy: string | undefined

  constructor(
    code: MillraceErrorCode,
    message: string | FailureParts,
    options?: { cause?: unknown },
  ) {
    super(typeof message === 'string' ? message : composed(message), options)
    this.code = code
    const parts: Partial<FailureParts> = typeof message === 'string' ? {} : message
    this.action = parts.action
    this.state = parts.state
    this.remedy = parts.remedy
  }

  /** The same failure with the remedy in the words of the program that tells it. */
  withRemedy(remedy: string): MillraceError {
    const { action, state, code, message } = this
    return new MillraceError(code, { action, state: state ?? message, remedy }, { cause: this })
  }
}

function composed({ action, state, remedy }: FailureParts): string {
  const said = action === undefined ? state : `${action}: ${state}`
  return remedy === undefined ? said : withSentence(said, remedy)
}

/** Texts of servers may end with a question. */
const withSentence = (text: string, more: string): string =>
  `${text}${/[.?!]$/.test(text) ? '' : '.'} ${more}`

const passing: ReadonlySet<MillraceErrorCode> = new Set([
  'UNREACHABLE',
  'DISCONNECTED',
  'TIMEOUT',
  'SERVER_FULL',
  'SERVER_BUSY',
  'READ_ONLY',
])

/** True for failures that pass by themselves, so that trying again makes sense. */
export function isPassing(error: unknown): error is MillraceError {
  return error instanceof MillraceError && passing.has(error.code)
}

/** The error for a stream that has no ids left: somebody appended an entry with the last one. */
export function exhausted(stream: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'EXHAUSTED',
    {
      action: `Cannot append to stream "${stream}"`,
      state: 'it is at its last possible id',
      remedy: 'Go on with a new stream, under another key',
    },
    { cause },
  )
}

/** The error for a group that does not exist, before the start or any more. */
export function missingGroup(stream: string, group: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'NO_GROUP',
    {
      action: `Cannot read from stream "${stream}"`,
      state: `group "${group}" does not exist`,
      remedy: 'Create it; a group that was lost is never re-created silently: recover it',
    },
    { cause },
  )
}

/** The error for a group that would process once more what it has settled. */
export function movedBack(stream: string, group: string): MillraceError {
  return new MillraceError('GROUP_MOVED', {
    action: `Cannot process entries of stream "${stream}" for group "${group}"`,
    state:
      'it was moved back, or created again, behind what it has settled already, or an entry was claimed by force. ' +
      'Nothing was counted twice here',
    remedy: 'Stop all consumers and recover the group',
  })
}

/** A read's failure, saying which stream and group it met and what to do. */
export function readFailure(
  error: unknown,
  { stream, group }: { readonly stream: string; readonly group: string },
): unknown {
  const code = error instanceof MillraceError ? error.code : undefined
  // XINFO says that the key is gone where a read says that the group is.
  if (code === 'NO_GROUP' || code === 'NO_STREAM') return missingGroup(stream, group, error)
  // What has been told with its key stays as it is.
  if (code !== 'WRONG_TYPE' || !String(error).includes('WRONGTYPE')) return error
  return new MillraceError(
    code,
    {
      action: `Cannot read from stream "${stream}"`,
      state: 'the key holds another type',
      remedy: 'Move that key away or use another one',
    },
    { cause: error },
  )
}
