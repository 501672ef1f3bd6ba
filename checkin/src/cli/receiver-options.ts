/** The options of `npm run checkinreceiver`, and what they mean together. */
import { readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import type { Config } from '../config.ts'
import { UsageError } from '../errors.ts'
import { isLoopback } from '../receiver/origins.ts'
import type { AccessOptions } from '../receiver/receiver.ts'
import { Tokens } from '../receiver/tokens.ts'
import { integerWithin, portNumber } from './arguments.ts'

export interface ReceiverFlags {
  readonly host: string
  readonly port: number
  readonly workers: number
  readonly backlogMax: number
  readonly memoryMax: number
  readonly rateLimit: number
  readonly apiKeys: boolean
  readonly jwtJwks?: URL
  readonly jwtKey?: string
  readonly jwtIssuer?: string
  readonly jwtAudience?: string
  readonly corsOrigin: readonly string[]
  readonly allowHost: readonly string[]
  readonly trustProxy?: string
  readonly insecure: boolean
}

const workersMax = 64

export function addReceiverOptions(command: Command, config: Config): Command {
  addLimits(addPlace(command, config))
  return addAccess(command)
}

function addPlace(command: Command, config: Config): Command {
  return command
    .addOption(
      new Option('--port <port>', 'port to listen on; 0 takes any free one')
        .argParser(portNumber)
        .default(config.receiverPort),
    )
    .addOption(new Option('--host <host>', 'address to listen on').default(config.receiverHost))
    .addOption(
      new Option('--workers <n>', 'processes that share the port')
        .argParser(integerWithin(1, workersMax))
        .default(1),
    )
}

function addLimits(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--backlog-max <entries>',
        'answer 429 while more check-ins wait to be processed; 0: never',
      )
        .argParser(integerWithin(0, 1e15 - 1))
        .default(1_000_000),
    )
    .addOption(
      new Option('--memory-max <percent>', 'answer 503 above this share of maxmemory; 0: never')
        .argParser(integerWithin(0, 100))
        .default(90),
    )
    .addOption(
      new Option('--rate-limit <n>', 'requests a second for each key, user or address; 0: any')
        .argParser(integerWithin(0, 1_000_000))
        .default(0),
    )
}

function addAccess(command: Command): Command {
  return command
    .option('--api-keys', 'ask for API keys, as "npm run api-keys -- create" makes them', false)
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
    .option('--trust-proxy <addresses>', 'believe X-Forwarded-For of proxies at these addresses')
    .option('--insecure', 'listen beyond the loopback without API keys and JWTs', false)
}

/**
 * Who may send, as the flags say.
 * @throws {UsageError} when anybody on the network could, or the key of the tokens cannot be used.
 */
export function accessOf(flags: ReceiverFlags): AccessOptions {
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
  }
}

function tokensOf(flags: ReceiverFlags): Tokens | undefined {
  const { jwtJwks: url, jwtKey: file, jwtIssuer: issuer, jwtAudience: audience } = flags
  if (url !== undefined) return new Tokens({ keys: { url }, issuer, audience })
  if (file === undefined) return undefined
  try {
    return new Tokens({ keys: { text: readFileSync(file, 'utf8') }, issuer, audience })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `Cannot use ${file} as --jwt-key: ${reason}. It holds a public key as PEM, JWK or JWKS`,
      { cause: error },
    )
  }
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
