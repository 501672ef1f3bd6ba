/** What a command says when the server does not answer any more, or is gone, amid its work. */
import { MillraceError, type Millrace } from 'millrace'

type LossCode = 'TIMEOUT' | 'DISCONNECTED' | 'UNREACHABLE'

interface Loss {
  readonly state: (url: string) => string
  /** What it may be, and where to look. */
  readonly remedy: string
}

const gone: Loss = {
  state: (url) => `the connection to ${url} was lost`,
  remedy:
    'The server has ended or starts anew, or the network broke: look whether it runs, and what its log says last',
}

const losses: Readonly<Record<LossCode, Loss>> = {
  TIMEOUT: {
    state: (url) => `${url} does not answer any more`,
    remedy:
      'It is frozen or overloaded, or the network loses what is sent: look at its process, its load and the network',
  },
  DISCONNECTED: gone,
  UNREACHABLE: gone,
}

/** Whether the server could not be asked, whatever was asked. */
export const isLost = (error: unknown): error is MillraceError & { readonly code: LossCode } =>
  error instanceof MillraceError && Object.hasOwn(losses, error.code)

/**
 * A loss of the connection, told with the server and what helps; any other error as it is.
 * @param options.changes the command changes something, and may have done so
 */
export function withServer(
  error: unknown,
  { url }: Pick<Millrace, 'url'>,
  { changes = false }: { readonly changes?: boolean } = {},
): unknown {
  if (!isLost(error)) return error
  const { state, remedy } = losses[error.code]
  const again = changes ? 'and what was done, before you run this again' : 'then run this again'
  const told = {
    action: changes ? 'Outcome unknown' : 'Cannot look',
    state: state(url),
    remedy: `${remedy}, ${again}`,
  }
  return new MillraceError(error.code, told, { cause: error })
}
