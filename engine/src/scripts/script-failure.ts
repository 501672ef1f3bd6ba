/** Tells what a script's error code is about: one home for the codes that `lua/parts/checks.lua` makes of any reply. */
import { MillraceError, missingGroup, movedBack } from '../support/errors.ts'
import type { Connection } from '../redis/connection.ts'
import { keyTypes, streamLedger, type GroupKeys } from '../redis/keys.ts'

/**
 * The error for a code: `wrong-type <type> <key>`, `no-permission <command>`, `unexpected <first words of a reply>`, or any
 * other one, which its script explains.
 * @param action what could not be done, as a message begins: `Cannot trim stream "..."`
 * @param wrongType said of a bare `wrong-type`: the script may not ask for the TYPE of a key
 */
export function scriptFailure(
  action: string,
  code: string,
  wrongType: Readonly<Record<'state' | 'remedy', string>> = {
    state: 'one of its keys is of another type',
    remedy: 'Look at their TYPE, and move that key away',
  },
): MillraceError {
  if (code === 'wrong-type') {
    const { state, remedy } = wrongType
    return new MillraceError('WRONG_TYPE', { action, state, remedy })
  }
  const [, kind = '', rest = ''] = /^(wrong-type|no-permission|unexpected) (.*)$/s.exec(code) ?? []
  switch (kind) {
    case 'wrong-type': {
      const type = rest.slice(0, rest.indexOf(' '))
      const key = rest.slice(type.length + 1)
      const state = `"${key}" is a key of another type: it holds a ${type}`
      return new MillraceError('WRONG_TYPE', { action, state, remedy: 'Move that key away' })
    }
    case 'no-permission':
      return missingRight(action, rest)
    case 'unexpected':
      return new MillraceError('REFUSED', {
        action,
        state: `the server answered what was not expected: "${rest.trim()}". Nothing was written`,
        remedy: 'Look at the version of the server, and at its log',
      })
    default:
      return new MillraceError('REFUSED', {
        action,
        state: `the script answered "${code}"`,
        remedy: 'That is a fault of Millrace: report it with this text',
      })
  }
}

/** Where a script worked; `group` is the reader's name where there is no group. */
export interface StreamAndGroup {
  readonly stream: string
  readonly group: string
}

/** The error for a code of a script that works on a group: also `no-group` and `moved-back`. */
export function groupFailure(code: string, { stream, group }: StreamAndGroup): MillraceError {
  if (code === 'no-group') return missingGroup(stream, group)
  if (code === 'moved-back') return movedBack(stream, group)
  return scriptFailure(`Cannot process entries of stream "${stream}" for "${group}"`, code)
}

/** @param command in capitals, with its subcommand: `XINFO GROUPS` */
export function missingRight(action: string, command: string, cause?: unknown): MillraceError {
  const right = command.toLowerCase().replace(' ', '|')
  return new MillraceError(
    'AUTHENTICATION',
    {
      action,
      state: `the user lacks the right to ${command}, or to use it on these keys`,
      remedy: `Grant it: ACL SETUSER <user> +${right} ~<pattern of the keys>`,
    },
    { cause },
  )
}

/** A key that holds something of another type than ours. */
export interface WrongKey {
  readonly key: string
  /** As TYPE tells it: `string`, `list`, `set`, `zset`, `hash`, `stream`, or that of a module. */
  readonly holds: string
  readonly expected: string
}

/** Looks at every key of a group and at the ledger of its stream. @throws those of the connection. */
export async function wrongKeys(
  connection: Pick<Connection, 'send'>,
  keys: GroupKeys,
): Promise<WrongKey[]> {
  const expected: [key: string, type: string][] = [[streamLedger(keys.stream), 'hash']]
  for (const name of Object.keys(keyTypes) as (keyof GroupKeys)[]) {
    expected.push([keys[name], keyTypes[name]])
  }
  const held = await Promise.all(
    expected.map(async ([key, type]) => {
      return { key, holds: String(await connection.send(['TYPE', key])), expected: type }
    }),
  )
  return held.filter(({ holds, expected: type }) => holds !== type && holds !== 'none')
}

/** Runs an action; where it meets a key of another type, the error names the key: most errors of the server do not. */
export async function namingKeys<Result>(
  connection: Pick<Connection, 'send'>,
  keys: GroupKeys,
  what: string,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'WRONG_TYPE') throw error
    // Without the right to TYPE the error stays as it is.
    const [wrong] = await wrongKeys(connection, keys).catch(() => [])
    if (wrong === undefined) throw error
    throw scriptFailure(what, `wrong-type ${wrong.holds} ${wrong.key}`)
  }
}
