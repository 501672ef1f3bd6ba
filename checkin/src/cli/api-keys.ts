import { Argument, Command, Option } from 'commander'
import type { Millrace } from 'millrace'
import { ApiKeys, type ApiKey, type ApiKeyHistory } from '../access/api-keys.ts'
import { keyScopes, type KeyScope } from '../access/scopes.ts'
import { callOf, CommandError, durationWithin, sayPlace, UsageError } from 'millrace-ops/command'
import { escaped, isColour, plainTable } from 'millrace-ops/terminal'
import type { Wiring } from '../wiring.ts'
import { typed } from '../terminal/typed.ts'

interface CreateFlags {
  readonly scope?: KeyScope[]
  /** Milliseconds. */
  readonly expires?: number | 'never'
  readonly json: boolean
}

const expiresMaxMs = 10 * 365 * 86_400_000

// E-mail and metrics are given by name alone.
const defaultScopes = ['ingest', 'read'] as const

/** `npm run api-keys`: who may send check-ins and look at things. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description('API keys of the receiver; it asks for them when it runs with --api-keys.')
    .addCommand(createCommand(wiring))
    .addCommand(listCommand(wiring), { isDefault: true })
    .addCommand(revokeCommand(wiring))
}

function createCommand(wiring: Wiring): Command {
  return new Command('create')
    .exitOverride()
    .description('makes a key and prints it, once: only its hash is kept')
    .addArgument(new Argument('<name>', 'whose it is').argParser(keyName))
    .addOption(
      new Option('--scope <scope>', `${keyScopes.join(', ')}; may be repeated`)
        .argParser(addScope)
        .default(undefined, defaultScopes.join(' and ')),
    )
    .addOption(
      new Option('--expires <time>', 'when it ends by itself, like 90d')
        .argParser(lifetime)
        .default(undefined, 'never'),
    )
    .option('--json', 'print it as JSON', false)
    .action(async (name: string, flags: CreateFlags) => {
      checkLifetime(name, flags)
      await withKeys(wiring, async (keys, millrace) => {
        sayPlace(millrace, wiring.model.checkins.key, wiring.config.group)
        const { scope = defaultScopes, expires } = flags
        const expiresInMs = expires === 'never' ? undefined : expires
        const { text, apiKey } = await keys.create({ name, scopes: scope, expiresInMs })
        if (flags.json) print(JSON.stringify({ ...shown(apiKey), key: text }))
        else {
          print(text)
          process.stderr.write(
            `This is the only time that the key is shown. Send it as "Authorization: Bearer <key>". ` +
              `Its id is ${apiKey.id}, and it ends ${shortTime(apiKey.expiresAt) ?? 'when it is revoked'}.` +
              `${lostLifetime(flags)}\n`,
          )
        }
      })
    })
}

const lifetime = (text: string): number | 'never' =>
  text === 'never' ? text : durationWithin(1000, expiresMaxMs)(text)

/**
 * npm has a setting `expires` of its own, a number: `--expires 90d` before `--` it drops, and leaves no trace of it.
 * @throws {UsageError} where a script of npm calls, and nobody said when the key ends.
 */
function checkLifetime(name: string, { expires }: CreateFlags): void {
  if (callOf('api-keys', 'checkin', process.env).npm !== 'script' || expires !== undefined) return
  throw new UsageError(
    'Cannot tell when the key shall end: npm drops --expires without a trace unless "--" stands before it. ' +
      `Say it: npm run api-keys -- create ${JSON.stringify(name)} --expires 90d, or --expires never`,
  )
}

/** `npm exec` drops it likewise. From inside it looks as `npx`, which drops nothing. */
function lostLifetime({ expires }: CreateFlags): string {
  const isExec = callOf('api-keys', 'checkin', process.env).npm === 'exec'
  if (!isExec || expires !== undefined) return ''
  return ' If you gave --expires, npm exec has dropped it: revoke this key, and put "--" before the command.'
}

function listCommand(wiring: Wiring): Command {
  return new Command('list')
    .exitOverride()
    .description('shows the keys, without their secrets, and those that were revoked')
    .option('--json', 'print them as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      await withKeys(wiring, async (keys) => {
        const [all, now] = await Promise.all([keys.history(), keys.now()])
        if (json) print(JSON.stringify(all.map((key) => withHistory(key, now))))
        else if (all.length === 0) print('There are no API keys.')
        else print(tableOf(all, now))
      })
    })
}

function tableOf(all: readonly ApiKeyHistory[], now: number): string {
  const rows = all.map((key) => [
    ...[key.id, key.name, key.scopes.join(' ')],
    shortTime(key.createdAt) ?? '-',
    stateOf(key, now) === 'expired' ? 'expired' : (shortTime(key.expiresAt) ?? 'never'),
    shortTime(key.lastUsedMs) ?? '-',
    shortTime(key.revokedMs) ?? '-',
  ])
  return plainTable(
    rows.map((cells) => cells.map(escaped)),
    {
      head: ['ID', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES', 'LAST USED', 'REVOKED'],
      isColour: isColour(),
    },
  )
}

function revokeCommand(wiring: Wiring): Command {
  return new Command('revoke')
    .exitOverride()
    .description('ends a key; receivers know within 5 s')
    .argument('<id>', 'as "list" shows it')
    .action(async (id: string) => {
      await withKeys(wiring, async (keys, millrace) => {
        sayPlace(millrace, wiring.model.checkins.key, wiring.config.group)
        if (!(await keys.revoke(id))) {
          const revoked = (await keys.history()).find((key) => key.id === id)
          const state =
            revoked === undefined
              ? 'there is no such key'
              : `it was revoked already (${shortTime(revoked.revokedMs) ?? 'at an unknown time'})`
          throw new CommandError(`Cannot revoke "${id}": ${state}. See "${typed('api-keys')}"`)
        }
        print(`Key ${id} is revoked.`)
      })
    })
}

async function withKeys(
  wiring: Wiring,
  work: (keys: ApiKeys, millrace: Millrace) => Promise<void>,
): Promise<void> {
  const millrace = await wiring.connect()
  try {
    await work(new ApiKeys(millrace, wiring.model.apiKeysKey), millrace)
  } finally {
    await millrace.close()
  }
}

function shown({ id, name, scopes, createdAt, expiresAt }: ApiKey): object {
  return { id, name, scopes, createdAt, expiresAt: expiresAt ?? null }
}

function withHistory(key: ApiKeyHistory, now: number): object {
  return {
    ...shown(key),
    lastUsedAt: isoTime(key.lastUsedMs),
    revokedAt: isoTime(key.revokedMs),
    state: stateOf(key, now),
  }
}

function stateOf(
  { expiresAt, revokedMs }: ApiKeyHistory,
  now: number,
): 'active' | 'expired' | 'revoked' {
  if (revokedMs !== undefined) return 'revoked'
  return expiresAt !== undefined && Date.parse(expiresAt) <= now ? 'expired' : 'active'
}

const isoTime = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString()

/** To the second. What somebody else wrote there stays as it is. */
function shortTime(time: string | number | undefined): string | undefined {
  const iso = typeof time === 'number' ? isoTime(time) : time
  return iso?.replace(/(?<=:\d\d)\.\d{3}Z$/, 'Z')
}

function keyName(text: string): string {
  if (/^[\p{L}\p{N}._@ -]{1,64}$/u.test(text)) return text
  throw new UsageError(
    `Cannot name a key "${text}": allowed are 1 to 64 letters, digits, ".", "_", "@", "-" or spaces`,
  )
}

function addScope(text: string, before: readonly KeyScope[] = []): KeyScope[] {
  const scope = keyScopes.find((known) => known === text)
  if (scope !== undefined) return [...before, scope]
  throw new UsageError(`Cannot use "${text}" as --scope: allowed is ${keyScopes.join(', ')}`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
