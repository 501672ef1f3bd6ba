import type { Choices, Offered } from './declared.ts'
import { dataInShell } from './data-in-shell.ts'
import { functionOf, quotedForShell } from './names.ts'

/** @param program that is completed, also as `npx program` */
export const zshCompletion = (program: string, choices: Choices): string => {
  const name = functionOf(program)
  return `#compdef ${program}
# zsh completion for ${program}: eval "$(npx ${program} completion zsh)", behind compinit
${dataInShell(name, choices, caseOf)}${functionsOf(program, name)}`
}

/** What finds out where one is. */
const functionsOf = (program: string, name: string): string => `${name}() {
  local at word before='' where='' current=\${words[CURRENT]} first=1
  local -a found
  [[ $words[1] == npx ]] && first=2
  for ((at = first + 1; at < CURRENT; at++)); do
    word=$words[at]
    if [[ -n $before ]]; then
      before=''
    elif [[ $word == -* ]]; then
      ${name}_values "\${where:+$where }$word" && before="\${where:+$where }$word"
    else
      ${name}_words "$where"
      (( \${found[(I)$word:*]} )) && where="\${where:+$where }$word"
    fi
    found=()
  done
  found=()
  if [[ -n $before ]]; then
    ${name}_values "$before"
    (( $#found )) || { _default; return }
  elif [[ $current == -* ]]; then
    ${name}_flags "$where"
  else
    ${name}_words "$where"
  fi
  _describe '${program}' found
}
${name}_by_npx() {
  if (( CURRENT > 2 )) && [[ $words[2] == ${program} ]]; then ${name}; else $__complete_npx_before_${name} "$@"; fi
}
if [[ $funcstack[1] == _${program} ]]; then
  ${name}
else
  compdef ${name} ${program}
  # What was set up for npx before stays.
  [[ $_comps[npx] == ${name}_by_npx ]] || typeset -g __complete_npx_before_${name}=\${_comps[npx]:-_default}
  compdef ${name}_by_npx npx
fi
`

const caseOf = (typed: string, offered: Offered): string => {
  const told = offered.map(([word, says]) => {
    const name = word.replaceAll(':', '\\:')
    return quotedForShell(says === '' ? name : `${name}:${says}`)
  })
  return `  ${quotedForShell(typed)}) found=(${told.join(' ')}) ;;`
}
