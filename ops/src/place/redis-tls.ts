/** What TLS to Redis is given: the environment names files, the engine takes what they hold. */
import { readFileSync } from 'node:fs'
import type { TlsOptions } from 'millrace'
import { UsageError } from '../command/errors.ts'

const variables: Readonly<Record<keyof TlsOptions, string>> = {
  ca: 'REDIS_TLS_CA',
  cert: 'REDIS_TLS_CERT',
  key: 'REDIS_TLS_KEY',
  servername: 'REDIS_TLS_SERVERNAME',
}

/** @throws {UsageError} naming the variable when its file cannot be read, or when REDIS_URL is not one of TLS. */
export function readTls(
  env: NodeJS.ProcessEnv,
  redisUrl: string | undefined,
): TlsOptions | undefined {
  const set = Object.values(variables).find((variable) => (env[variable] ?? '') !== '')
  if (set === undefined) return undefined
  if (redisUrl?.trim().toLowerCase().startsWith('rediss://') !== true) {
    throw new UsageError(`Cannot use ${set}: it needs a REDIS_URL that begins with rediss://`)
  }
  return {
    ca: contentOf(env, variables.ca),
    cert: contentOf(env, variables.cert),
    key: contentOf(env, variables.key),
    servername: env[variables.servername] === '' ? undefined : env[variables.servername],
  }
}

/** What the engine says of its options, in the words of our variables. */
export function inOurWords(message: string): string {
  return message.replace(
    /\btls\.(ca|cert|key|servername)\b/g,
    (_, name: keyof TlsOptions) => variables[name],
  )
}

function contentOf(env: NodeJS.ProcessEnv, variable: string): Buffer | undefined {
  const file = env[variable] ?? ''
  if (file === '') return undefined
  try {
    return readFileSync(file)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(`Cannot use "${file}" as ${variable}: the file cannot be read (${why})`)
  }
}
