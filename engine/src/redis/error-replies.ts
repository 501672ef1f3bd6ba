/**
 * Turns what the Redis client throws into `MillraceError`: the one place that knows the texts of error replies.
 * Guards:
 *   unblocked: a read that the server ends since it is no primary any more passes
 */
import { ErrorReply } from 'redis'
import { MillraceError, type MillraceErrorCode } from '../support/errors.ts'
import { shown } from '../support/shown.ts'

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

/**
 * Never throws; an error that is a `MillraceError` already is returned as it is.
 * @param loss why we gave the connection up, where we did
 */
export function fromClientError(error: unknown, loss?: Error): MillraceError {
  if (error instanceof MillraceError) return error
  const text = error instanceof Error ? error.message : String(error)
  if (error instanceof ErrorReply) {
    return new MillraceError(
      replyCode(text),
      { state: text, remedy: remedyOf(text) },
      { cause: error },
    )
  }
  const name = error instanceof Error ? error.constructor.name : ''
  if (name === 'ClientOfflineError' || name === 'ClientClosedError') {
    return new MillraceError('UNREACHABLE', 'Not sent: there is no connection to Redis', {
      cause: error,
    })
  }
  if (name === 'DisconnectsClientError') return givenUp(error, loss)
  return new MillraceError('DISCONNECTED', `Outcome unknown: ${text}`, { cause: error })
}

/** The client says no more than that it did what it was told to. @param loss why it was told to */
function givenUp(error: unknown, loss?: Error): MillraceError {
  const told = `Outcome unknown: ${loss?.message ?? 'the connection was closed'}`
  const isSilent = loss instanceof MillraceError && loss.code === 'TIMEOUT'
  if (isSilent) return new MillraceError('TIMEOUT', told, { cause: loss })
  return new MillraceError('DISCONNECTED', told, { cause: loss ?? error })
}

/** An argument that is no text was not sent, and is a fault of the caller; anything else stays as it is. */
export function unencoded(args: readonly unknown[], error: TypeError): TypeError {
  const at = args.findIndex((argument) => typeof argument !== 'string')
  if (at < 0) return error
  const text = `Cannot send ${shown(args[0])}: argument ${at} is ${shown(args[at])}, and allowed is text. Nothing was sent`
  return new TypeError(text, { cause: error })
}

/**
 * True when the server has answered that it does not know the command, or does not let this user send it: it will answer
 * so again, and what the command was for can be done without. Not when nobody is logged in yet.
 */
export function isDeclined(error: unknown): boolean {
  if (!(error instanceof MillraceError) || !(error.cause instanceof ErrorReply)) return false
  return error.code === 'REFUSED' || error.message.startsWith('NOPERM')
}

/** What a bare reply leaves out. A right that is missing is granted by its name; with "|" before a subcommand. */
function remedyOf(text: string): string | undefined {
  if (text.startsWith('LOADING ')) return 'The server has just started: try again when it has'
  const right = /^NOPERM .*no permissions to run the '([a-z|]+)' command/.exec(text)?.[1]
  return right === undefined ? undefined : `Grant it: ACL SETUSER <user> +${right}`
}

// Redis 7.0, and Valkey and later versions of Redis.
const noRight = /user executing the script can't|no permissions to/i

function replyCode(text: string): MillraceErrorCode {
  const word = text.slice(0, text.indexOf(' '))
  const code = codes[word]
  if (code !== undefined) return code
  if (/invalid password|invalid username-password|AUTH .*called without/i.test(text)) {
    return 'AUTHENTICATION'
  }
  // maxclients: the reply has no code of its own. And a script that somebody killed may run again.
  if (/max number of clients|Script killed by user/i.test(text)) return 'SERVER_BUSY'
  if (/exhausted the last possible ID/i.test(text)) return 'EXHAUSTED'
  // In a script; the text of a command begins with NOPERM.
  if (noRight.test(text)) return 'AUTHENTICATION'
  return /requires the key to exist|no such key/i.test(text) ? 'NO_STREAM' : 'REFUSED'
}
