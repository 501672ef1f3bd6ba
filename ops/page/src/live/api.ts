/** Asks the console for data. */
import type { Failure } from '../../../src/console/wire.ts'

/** Where the console is mounted, without a slash at its end: empty at the root. */
export const base = baseOf(
  document.querySelector<HTMLMetaElement>('meta[name="millrace-base"]')?.content,
)

/** The development server of Vite serves it at the root. */
function baseOf(content: string | undefined): string {
  return content === undefined || content === '.' ? '' : content
}

export type Query = Readonly<Record<string, string | number | undefined>>

export function queryText(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

/** The console could not answer, or could not be reached. */
export class AskError extends Error {
  override readonly name = 'AskError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** @throws {AskError} */
export async function ask<Answer>(
  path: string,
  query: Query,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await fetch(`${base}/api/${path}${queryText(query)}`, { signal }).catch(
    (error: unknown) => {
      if (signal.aborted) throw error
      throw new AskError('UNREACHABLE', 'The console does not answer. Is it still running?')
    },
  )
  if (response.ok) return (await response.json()) as Answer
  const failure = (await response.json().catch(() => undefined)) as Failure | undefined
  const said = failure ?? { code: 'UNKNOWN', message: `It answered ${String(response.status)}.` }
  throw new AskError(said.code, said.message)
}
