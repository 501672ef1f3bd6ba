/** What TLS to Redis is given: the environment names files, the engine takes what they hold. */
import { readFileSync } from 'node:fs'
import type { TlsNames, TlsOptions } from 'millrace'
import { UsageError } from '../command/errors.ts'

/** Where users give it: what messages of the engine call it. */
export const tlsVariables: TlsNames = {
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
  const variables = tlsVariables
  const set = Object.values(variables).find((variable) => (env[variable] ?? '') !== '')
  if (set === undefined) return undefined
  if (!isOfTls(redisUrl)) {
    throw new UsageError(`Cannot use ${set}: it needs a REDIS_URL that begins with rediss://`)
  }
  return {
    ca: contentOf(env, variables.ca),
    cert: contentOf(env, variables.cert),
    key: contentOf(env, variables.key),
    servername: env[variables.servername] === '' ? undefined : env[variables.servername],
  }
}

const isOfTls = (url = ''): boolean => URL.canParse(url) && new URL(url).protocol === 'rediss:'

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
