/** Says why there is no connection, and what to do about it. Raw texts of OpenSSL help nobody. */
import { ErrorReply } from 'redis'
import { MillraceError, type MillraceErrorCode } from '../support/errors.ts'
import { connectTimeoutMs } from './client.ts'
import { fromClientError } from './error-replies.ts'
import type { ServerAddress } from './server-address.ts'
import { ownNames, type TlsNames } from './tls-options.ts'

export interface Attempt {
  readonly address: ServerAddress
  /** A certificate of our own was offered. */
  readonly hasCertificate: boolean
  /** What messages call the options of TLS; default: as they are called. */
  readonly names?: TlsNames | undefined
}

/** What it is, and what helps. */
type Reason = readonly [state: string, remedy: string]

/** What it is, and what helps, with the names of the options of TLS. */
type NamedReason = readonly [state: string, remedy: (names: TlsNames) => string]

const untrusted: NamedReason = [
  'its certificate is signed by nobody who is trusted here',
  ({ ca }) => `Give the certificate of the authority that signed it as ${ca}`,
]

// Codes of OpenSSL and Node.
const certificateReasons: Readonly<Record<string, NamedReason>> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: ['its certificate has expired', () => 'Renew it'],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', () => 'Check the clocks'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another name',
    ({ servername }) => `Use a name that the certificate holds in the URL, or as ${servername}`,
  ],
}

const networkReasons: Readonly<Record<string, Reason>> = {
  ENOTFOUND: ['the name of its host is not known', 'Check the host in the URL'],
  EAI_AGAIN: ['the name of its host cannot be looked up now', 'Check the host in the URL'],
  EACCES: ['we may not open its socket', 'Check the rights to the file'],
}

const noAnswer = `no answer came within ${connectTimeoutMs / 1000} s`
const silentRemedy =
  'It is frozen or overloaded, or the network loses what is sent: look at its process, its load and the network'

const unanswered = [
  'ECONNREFUSED',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
]

/** What a failure to connect is told as: no outcome is unknown then. */
export function connectFailure(error: unknown, attempt: Attempt): MillraceError {
  const known = fromClientError(error)
  const [state, remedy] = reasonOf(error, known, attempt)
  const action = `Cannot connect to ${attempt.address.shown}`
  const told = state.replace(/\.$/, '')
  return new MillraceError(codeOf(known), { action, state: told, remedy }, { cause: error })
}

function codeOf({ code }: MillraceError): MillraceErrorCode {
  return code === 'DISCONNECTED' || code === 'TIMEOUT' ? 'UNREACHABLE' : code
}

function reasonOf(error: unknown, known: MillraceError, attempt: Attempt): Reason {
  const text =
    known.code === 'TIMEOUT'
      ? noAnswer
      : known.message.replace(/^(?:Outcome unknown|Not sent): /, '')
  const reply = [error, known, known.cause].some((cause) => cause instanceof ErrorReply)
  if (reply) return replyReason(known)
  const code = nodeCode(error) ?? nodeCode(known.cause)
  if (code !== undefined) {
    const certificate = certificateReasons[code]
    if (certificate !== undefined) {
      const [state, remedy] = certificate
      return [state, remedy(attempt.names ?? ownNames)]
    }
    const network = networkReasons[code]
    if (network !== undefined) return network
    if (unanswered.includes(code)) return [causesOf(error, text), 'Is the server running?']
  }
  if (attempt.address.place.kind === 'tls') return tlsReason(code, text, attempt)
  // A server of TLS closes at once what does not begin as TLS.
  if (known.code === 'TIMEOUT') return [text, silentRemedy]
  const isClosed = /closed unexpectedly|ECONNRESET|EPIPE/.test(text)
  if (isClosed) return ['it closed the connection', 'If it takes only TLS there, use rediss://']
  return [text, 'Is the server running?']
}

function replyReason({ code, message, state: text = message, remedy }: MillraceError): Reason {
  if (code === 'AUTHENTICATION') return [text, 'Check user and password']
  if (/DB index|SELECT is not allowed|invalid DB/i.test(text)) {
    return [text, 'Use another number of the database in the URL']
  }
  return [text, remedy ?? 'That is what the server answers: look at its settings and its log']
}

function tlsReason(code: string | undefined, text: string, attempt: Attempt): Reason {
  if (
    /certificate.required|handshake.failure/i.test(`${code} ${text}`) &&
    !attempt.hasCertificate
  ) {
    const { cert, key } = attempt.names ?? ownNames
    return ['it asks for a certificate of ours', `Give it as ${cert}, with ${key}`]
  }
  if (/alert/i.test(`${code} ${text}`)) {
    return attempt.hasCertificate
      ? ['it refused our certificate', 'It must be signed by an authority that the server trusts']
      : ['it refused our TLS', 'Compare its versions of TLS and its ciphers with ours']
  }
  if (
    /ERR_SSL|EPROTO|SSL routines|before secure TLS|ECONNRESET|closed unexpectedly/.test(
      `${code} ${text}`,
    )
  ) {
    return [
      'it does not speak TLS there, or ended its handshake',
      'For a server without TLS, use redis://',
    ]
  }
  // Such a server waits for more of what it does not understand.
  return [
    text,
    'Is the server running, and does it take TLS at this port? Without TLS, use redis://',
  ]
}

const nodeCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

function causesOf(error: unknown, text: string): string {
  // One for each address of the name; its own text is empty.
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : text
}

/** A refused password as an outage: where it was right a moment ago it is being changed, and that passes. */
export function asPassing(error: Error): Error {
  if (!(error instanceof MillraceError) || error.code !== 'AUTHENTICATION') return error
  return new MillraceError('UNREACHABLE', error.message, { cause: error })
}
