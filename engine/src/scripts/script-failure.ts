/** Tells what a script's error code is about: one home for the codes that `lua/parts/checks.lua` makes of any reply. */
import { MillraceError } from '../support/errors.ts'

/**
 * The error for `wrong-type <type> <key>`, `no-permission <command>` or `unexpected <first words of a reply>`; undefined for
 * any other code, which its script explains.
 * @param action what could not be done, as a message begins: `Cannot trim stream "..."`
 */
export function scriptFailure(action: string, code: string): MillraceError | undefined {
  const [, kind, rest = ''] = /^(wrong-type|no-permission|unexpected) (.*)$/s.exec(code) ?? []
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
      return new MillraceError(
        'REFUSED',
        `${action}: the server answered what was not expected: "${rest.trim()}". Nothing was written`,
      )
    default:
      return undefined
  }
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
