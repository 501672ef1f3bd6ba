import type { TlsOptions } from 'millrace'
import { shownUrl } from 'millrace/operate'
import { name, port, readTls, UsageError } from 'millrace-ops/command'

/** What the environment says. A flag of a command wins over it; a default stands where both are silent. */
export interface Config {
  /** `REDIS_URL`; undefined: the embedded server if it runs, else `redis://127.0.0.1:6379`. */
  readonly redisUrl: string | undefined
  /** `REDIS_TLS_CA`, `REDIS_TLS_CERT`, `REDIS_TLS_KEY`: what these files hold; `REDIS_TLS_SERVERNAME`. Undefined: none is set. */
  readonly redisTls: TlsOptions | undefined
  /** `KEY_PREFIX`, default `ncc`: first part of every key. On a cluster it carries a hash tag, like `{ncc}`. */
  readonly keyPrefix: string
  /** `CHECKIN_GROUP`, default `checkinConsumers`. */
  readonly group: string
  /** `CHECKIN_RECEIVER_PORT`, default 8082. */
  readonly receiverPort: number
  /** `CHECKIN_RECEIVER_HOST`, default `127.0.0.1`. */
  readonly receiverHost: string
  /** `CHECKIN_RECEIVER_ACCESS_LOG`, default off. */
  readonly receiverAccessLog: boolean
  /** `LOG_LEVEL`; undefined lets the command choose: `info`, or `debug` in the exercise mode. */
  readonly logLevel: LogLevel | undefined
  /** `LOG_FORMAT`, default `pretty` on a terminal, else `json`. */
  readonly logFormat: LogFormat
}

const logLevels = ['debug', 'info', 'warn', 'error'] as const
const logFormats = ['pretty', 'json'] as const
const switches = ['on', 'off'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = (typeof logFormats)[number]

/**
 * Reads the configuration from environment variables.
 * @throws {UsageError} naming the variable, its value and what is allowed.
 */
export function readConfig(env: NodeJS.ProcessEnv, isTerminal: boolean): Config {
  const redisUrl = optional(env, 'REDIS_URL', checkedUrl)
  return {
    redisUrl,
    redisTls: readTls(env, redisUrl),
    keyPrefix: optional(env, 'KEY_PREFIX', keyPrefix) ?? 'ncc',
    group: optional(env, 'CHECKIN_GROUP', name) ?? 'checkinConsumers',
    receiverPort: optional(env, 'CHECKIN_RECEIVER_PORT', port) ?? 8082,
    receiverHost: optional(env, 'CHECKIN_RECEIVER_HOST', (text) => text) ?? '127.0.0.1',
    receiverAccessLog:
      optional(env, 'CHECKIN_RECEIVER_ACCESS_LOG', (text) => oneOf(switches, text)) === 'on',
    logLevel: optional(env, 'LOG_LEVEL', (text) => oneOf(logLevels, text)),
    logFormat:
      optional(env, 'LOG_FORMAT', (text) => oneOf(logFormats, text)) ??
      (isTerminal ? 'pretty' : 'json'),
  }
}

/** Reads one variable; an empty value counts as unset, as in a shell's `NAME= command`. */
function optional<Value>(
  env: NodeJS.ProcessEnv,
  variable: string,
  parse: (text: string) => Value,
): Value | undefined {
  const text = env[variable]
  if (text === undefined || text === '') return undefined
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new UsageError(`Cannot use "${text}" as ${variable}: allowed is ${error.message}`)
  }
}

/** @throws {UsageError} with the part that is wrong, without its value: it may be a password. */
function checkedUrl(text: string): string {
  try {
    shownUrl(text)
    return text
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new UsageError(error.message.replace('Cannot connect', 'Cannot use REDIS_URL'))
  }
}

function keyPrefix(text: string): string {
  if (/^(?:\{[A-Za-z0-9._:-]{1,64}\}|[A-Za-z0-9._:-]{1,64})$/.test(text)) return text
  throw new RangeError('1 to 64 letters, digits, ".", "_", ":" or "-", in braces for a hash tag')
}

function oneOf<Choice extends string>(choices: readonly Choice[], text: string): Choice {
  const choice = choices.find((known) => known === text)
  if (choice !== undefined) return choice
  throw new RangeError(choices.join(', '))
}
