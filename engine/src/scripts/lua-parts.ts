import { readFileSync } from 'node:fs'

/**
 * The text of a file in `lua/`. The build replaces this module by one that holds the texts (`scripts/inline-lua.mjs`): the
 * package reads no file of its own, so that bundlers can take it.
 */
export function part(name: string): string {
  return readFileSync(new URL(`../../lua/${name}.lua`, import.meta.url), 'utf8')
}
