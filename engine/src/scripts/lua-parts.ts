import { readFileSync } from 'node:fs'

/**
 * The text of a file in `lua/`, by its path there: `claim`, `parts/ledger`. The build replaces this module by one that holds the
 * texts (`scripts/inline-lua.mjs`): the package reads no file of its own, so that bundlers can take it.
 */
export function luaText(name: string): string {
  return readFileSync(new URL(`../../lua/${name}.lua`, import.meta.url), 'utf8')
}
