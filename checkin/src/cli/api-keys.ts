import { Argument, Command, Option } from 'commander'
import type { Millrace } from 'millrace'
import { ApiKeys, type ApiKey } from '../access/api-keys.ts'
import { keyScopes, type KeyScope } from '../access/scopes.ts'
import { CommandError, UsageError } from '../errors.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { escaped, isColour } from '../terminal/words.ts'
import type { Wiring } from '../wiring.ts'
import { sayPlace } from './place.ts'

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
    .option('--json', 'print it as JSON', false)
    .action(async (name: string, flags: { scope?: KeyScope[]; json: boolean }) => {
      await withKeys(wiring, async (keys, millrace) => {
        sayPlace(millrace, wiring)
        const { text, apiKey } = await keys.create({ name, scopes: flags.scope ?? defaultScopes })
        if (flags.json) print(JSON.stringify({ ...shown(apiKey), key: text }))
        else {
          print(text)
          process.stderr.write(
            `This is the only time that the key is shown. Send it as "Authorization: Bearer <key>". ` +
              `Its id is ${apiKey.id}.\n`,
          )
        }
      })
    })
}

function listCommand(wiring: Wiring): Command {
  return new Command('list')
    .exitOverride()
    .description('shows the keys, without their secrets')
    .option('--json', 'print them as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      await withKeys(wiring, async (keys) => {
        const all = await keys.list()
        if (json) print(JSON.stringify(all.map(shown)))
        else if (all.length === 0) print('There are no API keys.')
        else {
          const rows = all.map(({ id, name, scopes: allowed, createdAt }) => [
            id,
            name,
            allowed.join(' '),
            createdAt,
          ])
          print(
            plainTable(
              rows.map((cells) => cells.map(escaped)),
              { head: ['ID', 'NAME', 'SCOPES', 'CREATED'], isColour: isColour() },
            ),
          )
        }
      })
    })
}

function revokeCommand(wiring: Wiring): Command {
  return new Command('revoke')
    .exitOverride()
    .description('ends a key; receivers know within 5 s')
    .argument('<id>', 'as "list" shows it')
    .action(async (id: string) => {
      await withKeys(wiring, async (keys, millrace) => {
        sayPlace(millrace, wiring)
        if (!(await keys.revoke(id))) {
          throw new CommandError(
            `Cannot revoke "${id}": there is no such key. See "npm run api-keys"`,
          )
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

function shown({ id, name, scopes: allowed, createdAt }: ApiKey): object {
  return { id, name, scopes: allowed, createdAt }
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
