/** The options of the receiver that say whose tokens it takes. */
import { readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { tokenScopes, type Scope } from '../../access/scopes.ts'
import { durationWithin, UsageError } from 'millrace-ops/command'
import { isLoopback } from '../../receiver/http/origins.ts'
import { Tokens, type TokenOptions } from '../../receiver/access/tokens.ts'
import { sentence } from 'millrace-ops/terminal'

export interface TokenFlags {
  readonly jwtJwks?: URL
  readonly jwtKey?: string
  readonly jwtIssuer?: string
  readonly jwtAudience?: string
  readonly jwtAny: boolean
  readonly jwtTyp?: string
  readonly jwtLifetimeMax: number
  readonly jwtStale: number
  readonly jwtDefaultScope: readonly Scope[]
}

const dayMs = 24 * 3_600_000

export function addTokenOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--jwt-jwks <url>', 'accept JWTs signed by keys there').argParser(jwksUrl),
    )
    .addOption(
      new Option(
        '--jwt-key <file>',
        'accept JWTs signed by this public key (PEM, JWK, JWKS)',
      ).conflicts('jwtJwks'),
    )
    .option('--jwt-issuer <text>', 'what "iss" of a JWT must be')
    .option('--jwt-audience <text>', 'what "aud" of a JWT must be')
    .option('--jwt-any', 'do without --jwt-issuer or --jwt-audience', false)
    .addOption(
      new Option(
        '--jwt-typ <type>',
        'what "typ" of a JWT must be, as at+jwt; otherwise none, JWT or at+jwt',
      ),
    )
    .addOption(
      new Option('--jwt-lifetime-max <time>', 'refuse JWTs that are good for longer')
        .argParser(durationWithin(1000, 3660 * dayMs))
        .default(dayMs, '24h'),
    )
    .addOption(
      new Option(
        '--jwt-stale <time>',
        'go on with the keys of --jwt-jwks while they cannot be read',
      )
        .argParser(durationWithin(0, 366 * dayMs))
        .default(dayMs, '24h'),
    )
    .addOption(
      new Option(
        '--jwt-default-scope <scope>',
        'what a JWT may that names none of our scopes; may be repeated',
      )
        .argParser(addScope)
        .default([], 'nothing'),
    )
}

/** @throws {UsageError} when the key cannot be used, or tokens for somebody else would be taken. */
export function tokensOf(flags: TokenFlags): Tokens | undefined {
  const { jwtJwks: url, jwtKey: file } = flags
  if (url === undefined && file === undefined) return undefined
  refuseAnybodys(flags)
  const options = {
    issuer: flags.jwtIssuer,
    audience: flags.jwtAudience,
    type: flags.jwtTyp,
    staleForMs: flags.jwtStale,
    lifetimeMaxS: flags.jwtLifetimeMax / 1000,
    defaultScopes: flags.jwtDefaultScope,
  }
  return url === undefined ? ofFile(file ?? '', options) : new Tokens({ keys: { url }, ...options })
}

function ofFile(file: string, options: Omit<TokenOptions, 'keys'>): Tokens {
  try {
    return new Tokens({ keys: { text: readFileSync(file, 'utf8') }, ...options })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `Cannot use ${file} as --jwt-key: ${sentence(reason)} It holds a public key as PEM, JWK or JWKS`,
      { cause: error },
    )
  }
}

function refuseAnybodys({ jwtIssuer, jwtAudience, jwtAny }: TokenFlags): void {
  if (jwtAny || (jwtIssuer !== undefined && jwtAudience !== undefined)) return
  const missing = [
    ...(jwtIssuer === undefined ? ['--jwt-issuer'] : []),
    ...(jwtAudience === undefined ? ['--jwt-audience'] : []),
  ]
  throw new UsageError(
    `Cannot take JWTs without ${missing.join(' and ')}: those that were made for another service would be taken, too. ` +
      'Say who makes them and for whom, or --jwt-any',
  )
}

function jwksUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  // Whoever can change the keys on their way can make tokens.
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
  if (url !== undefined && isSafe) return url
  throw new UsageError(
    `Cannot use "${text}" as --jwt-jwks: allowed is an https:// address, or http:// on the loopback`,
  )
}

function addScope(text: string, before: readonly Scope[]): Scope[] {
  const scope = tokenScopes.find((known) => known === text)
  if (scope !== undefined) return [...before, scope]
  throw new UsageError(
    `Cannot use "${text}" as --jwt-default-scope: allowed is ${tokenScopes.join(', ')}`,
  )
}
