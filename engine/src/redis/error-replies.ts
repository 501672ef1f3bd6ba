/** Turns what the Redis client throws into `MillraceError`: the one place that knows the texts of error replies. */
import { ErrorReply } from 'redis'
import { MillraceError, type MillraceErrorCode } from '../errors.ts'

// The first word of an error reply is its code (Redis documentation, "RESP simple errors").
const codes: Readonly<Record<string, MillraceErrorCode>> = {
  NOAUTH: 'AUTHENTICATION',
  WRONGPASS: 'AUTHENTICATION',
  NOPERM: 'AUTHENTICATION',
  OOM: 'SERVER_FULL',
  LOADING: 'SERVER_BUSY',
  BUSY: 'SERVER_BUSY',
  MISCONF: 'SERVER_BUSY',
  NOREPLICAS: 'SERVER_BUSY',
  MASTERDOWN: 'SERVER_BUSY',
  CLUSTERDOWN: 'SERVER_BUSY',
  TRYAGAIN: 'SERVER_BUSY',
  READONLY: 'READ_ONLY',
  WRONGTYPE: 'WRONG_TYPE',
  NOGROUP: 'NO_GROUP',
  // Redis 7.0 releases blocked readers with UNBLOCKED when the key is deleted or the node stops being primary.
  UNBLOCKED: 'DISCONNECTED',
}

/** Never throws; an error that is a `MillraceError` already is returned as it is. */
export function fromClientError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof ErrorReply) return new MillraceError(replyCode(text), text, { cause: error })
  const name = error instanceof Error ? error.constructor.name : ''
  if (name === 'ClientOfflineError' || name === 'ClientClosedError') {
    return new MillraceError('UNREACHABLE', 'Not sent: there is no connection to Redis', {
      cause: error,
    })
  }
  return new MillraceError('DISCONNECTED', `Outcome unknown: ${text}`, { cause: error })
}

/**
 * True when the server has answered that it does not know the command, or does not let this user send it: it will answer
 * so again, and what the command was for can be done without. Not when nobody is logged in yet.
 */
export function isDeclined(error: unknown): boolean {
  if (!(error instanceof MillraceError) || !(error.cause instanceof ErrorReply)) return false
  return error.code === 'REFUSED' || error.message.startsWith('NOPERM')
}

function replyCode(text: string): MillraceErrorCode {
  const word = text.slice(0, text.indexOf(' '))
  const code = codes[word]
  if (code !== undefined) return code
  if (/invalid password|invalid username-password|AUTH .*called without/i.test(text)) {
    return 'AUTHENTICATION'
  }
  // maxclients: the reply has no code of its own. And a script that somebody killed may run again.
  if (/max number of clients|Script killed by user/i.test(text)) return 'SERVER_BUSY'
  return /requires the key to exist|no such key/i.test(text) ? 'NO_STREAM' : 'REFUSED'
}
