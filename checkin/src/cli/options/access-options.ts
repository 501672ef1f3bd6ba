/** The options of the receiver that say who may use it, and what they mean together. */
import { fastify } from 'fastify'
import { Option, type Command } from 'commander'
import { UsageError } from 'millrace-ops/command'
import { isLoopback } from '../../receiver/http/origins.ts'
import type { AccessOptions } from '../../receiver/access/access-options.ts'
import { addTokenOptions, tokensOf, type TokenFlags } from './token-options.ts'
import { typed } from '../../terminal/typed.ts'

export interface AccessFlags extends TokenFlags {
  readonly host: string
  readonly rateLimit: number
  readonly apiKeys: boolean
  readonly publicFields: readonly string[]
  readonly corsOrigin: readonly string[]
  readonly allowHost: readonly string[]
  readonly trustProxy?: string
  readonly insecure: boolean
  readonly docs: boolean
}

export function addAccess(command: Command): Command {
  command.option(
    '--api-keys',
    `ask for API keys, as "${typed('api-keys create')}" makes them`,
    false,
  )
  return addTokenOptions(command)
    .addOption(
      new Option(
        '--public-fields <names>',
        'fields of users and locations to show beyond the usual ones',
      )
        .argParser(fieldNames)
        .default([], 'none'),
    )
    .addOption(
      new Option('--cors-origin <origin>', 'let pages of this origin in; may be repeated')
        .argParser(origins)
        .default([], 'none'),
    )
    .addOption(
      new Option('--allow-host <name>', 'a name that may stand in Host; may be repeated')
        .argParser(hostNames)
        .default([], 'on the loopback: its own names; otherwise any'),
    )
    .addOption(
      new Option(
        '--trust-proxy <addresses>',
        'believe X-Forwarded-For of proxies at these addresses',
      ).argParser(proxyAddresses),
    )
    .option('--no-docs', 'serve neither /docs nor /openapi.json')
    .option('--insecure', 'listen beyond the loopback without API keys and JWTs', false)
}

/**
 * Who may send, as the flags say.
 * @throws {UsageError} when anybody on the network could, or the key of the tokens cannot be used.
 */
export function accessOf(flags: AccessFlags): AccessOptions {
  const tokens = tokensOf(flags)
  if (!isLoopback(flags.host) && !flags.apiKeys && tokens === undefined && !flags.insecure) {
    throw new UsageError(
      `Cannot listen on ${flags.host}: whoever reaches it could send check-ins. Ask for API keys with --api-keys ` +
        'or for tokens with --jwt-jwks or --jwt-key, or say --insecure',
    )
  }
  return {
    apiKeys: flags.apiKeys,
    tokens,
    rateLimit: flags.rateLimit === 0 ? undefined : flags.rateLimit,
    origins: flags.corsOrigin,
    hosts: flags.allowHost,
    trustProxy: flags.trustProxy,
    publicFields: flags.publicFields,
    docs: flags.docs,
  }
}

function origins(text: string, before: readonly string[]): string[] {
  const isOrigin = text === '*' || (URL.canParse(text) && new URL(text).origin === text)
  if (isOrigin) return [...before, text]
  throw new UsageError(
    `Cannot use "${text}" as --cors-origin: allowed is an origin like https://app.example, or *`,
  )
}

function hostNames(text: string, before: readonly string[]): string[] {
  if (/^[A-Za-z0-9.-]{1,253}$|^\[[0-9a-fA-F:]+\]$/.test(text))
    return [...before, text.toLowerCase()]
  throw new UsageError(`Cannot use "${text}" as --allow-host: allowed is a name without port`)
}

/** The framework reads them; it says no where it cannot. */
function proxyAddresses(text: string): string {
  try {
    if (text.trim() === '') throw new RangeError('empty')
    fastify({ trustProxy: text })
    return text
  } catch (error) {
    throw new UsageError(
      `Cannot use "${text}" as --trust-proxy: allowed are addresses like 10.0.0.1, networks like 10.0.0.0/8, and ` +
        'loopback, linklocal or uniquelocal, separated by commas',
      { cause: error },
    )
  }
}

function fieldNames(text: string, before: readonly string[]): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.every((name) => /^[^@\p{C}]\P{C}{0,63}$/u.test(name) && name !== 'password')) {
    return [...before, ...names]
  }
  throw new UsageError(
    `Cannot use "${text}" as --public-fields: allowed are names of fields, separated by commas, that are no secrets`,
  )
}
