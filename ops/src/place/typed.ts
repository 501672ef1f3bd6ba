import type { Millrace } from 'millrace'
import type { Service } from '../service.ts'
import { escaped } from '../terminal/words.ts'

/**
 * A command of ours as whoever reads a text can type it, like `npx millrace recover --stream orders --group desk`; about
 * another group of the stream, where one is given.
 */
export type Typed = (line: string, group?: string) => string

/** Names what differs from the defaults of the service. */
export function typedAt(
  service: Pick<Service, 'program' | 'stream' | 'group'>,
  flags: { readonly redis?: string },
  { url }: Pick<Millrace, 'url'>,
  { key, name }: { readonly key?: string; readonly name?: string },
): Typed {
  const at = [
    ...(flags.redis === undefined ? [] : ['--redis', inShell(url)]),
    ...(key === undefined || key === service.stream ? [] : ['--stream', inShell(key)]),
  ]
  return (line, group = name) => {
    const of = group === undefined || group === service.group ? [] : ['--group', inShell(group)]
    return [service.program, line, ...at, ...of].join(' ')
  }
}

/** As a shell takes it for one word. */
export const inShell = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${escaped(word).replaceAll("'", "'\\''")}'`
