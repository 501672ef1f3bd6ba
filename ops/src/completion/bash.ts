/** Completion for bash, without its package bash-completion: that is not there on every machine. */
import type { Choices, Offered } from './declared.ts'
import { dataInShell } from './data-in-shell.ts'
import { functionOf, quotedForShell } from './names.ts'

/** @param program that is completed, also as `npx program` */
export const bashCompletion = (program: string, choices: Choices): string => {
  const name = functionOf(program)
  return `# bash completion for ${program}: eval "$(npx ${program} completion bash)"
${dataInShell(name, choices, caseOf)}${functionsOf(program, name)}`
}

/** What finds out where one is. */
const functionsOf = (program: string, name: string): string => `${name}() {
  local first=0 path='' at word current=\${COMP_WORDS[COMP_CWORD]} before=''
  # Where "npx ${program}" is typed, the program is the second word.
  [[ $1 == npx ]] && first=1
  for ((at = first + 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    # bash makes three words of --flag=value.
    [[ $word == '=' ]] && continue
    if [[ -n $before ]]; then
      before=''
    elif [[ $word == -* ]]; then
      ${name}_values "\${path:+$path }$word" > /dev/null && before="\${path:+$path }$word"
    elif [[ " $(${name}_words "$path") " == *" $word "* ]]; then
      path=\${path:+$path }$word
    fi
  done
  [[ $current == '=' ]] && current=''
  COMPREPLY=()
  if [[ -n $before ]]; then
    COMPREPLY=($(compgen -W "$(${name}_values "$before")" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(${name}_flags "$path")" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$(${name}_words "$path")" -- "$current"))
  fi
}
__complete_of_npx() {
  local of=__complete_\${COMP_WORDS[1]//[^A-Za-z0-9]/_}
  if ((COMP_CWORD > 1)) && declare -F "$of" > /dev/null; then "$of" npx; else COMPREPLY=(); fi
}
complete -o default -F ${name} ${program}
# What others have set up for npx stays.
complete -p npx > /dev/null 2>&1 || complete -o default -F __complete_of_npx npx
`

const caseOf = (typed: string, offered: Offered): string =>
  `  ${quotedForShell(typed)}) echo ${quotedForShell(offered.map(([word]) => word).join(' '))} ;;`
