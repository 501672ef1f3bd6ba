/** What is offered, as functions of a shell that say it. */
import type { Choices, Offered } from './declared.ts'

/**
 * Three functions of bash and zsh.
 * @param name how theirs begin
 * @param caseOf one case of a function: what it says for what was typed
 */
export function dataInShell(
  name: string,
  { words, flags, values }: Choices,
  caseOf: (typed: string, offered: Offered) => string,
): string {
  const cases = (of: readonly (readonly [typed: string, offered: Offered])[]): string =>
    of.map(([typed, offered]) => caseOf(typed, offered)).join('\n')
  return `${name}_words() {
  case $1 in
${cases(words)}
  esac
}
${name}_flags() {
  case $1 in
${cases(flags)}
  esac
}
# Fails for a flag that takes no value.
${name}_values() {
  case $1 in
${cases(values)}
  *) return 1 ;;
  esac
}
`
}
