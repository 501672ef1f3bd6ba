import type { Choices, Offered } from './declared.ts'
import { functionOf, quotedForFish } from './names.ts'

/** @param program that is completed, also as `npx program` */
export const fishCompletion = (program: string, choices: Choices): string => {
  const name = functionOf(program)
  return `# fish completion for ${program}: npx ${program} completion fish | source
${dataOf(name, choices)}${functionsOf(program, name)}`
}

/** What is offered, as functions that say it. */
const dataOf = (name: string, { words, flags, values }: Choices): string => `function ${name}_words
    switch "$argv[1]"
${cases(words)}
    end
end
function ${name}_flags
    switch "$argv[1]"
${cases(flags)}
    end
end
# Fails for a flag that takes no value.
function ${name}_values
    switch "$argv[1]"
${cases(values)}
        case '*'
            return 1
    end
end
`

/** What finds out where one is. */
const functionsOf = (program: string, name: string): string => `function ${name}
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    test "$typed[1]" = npx; and set -e typed[1]
    set -l path ''
    set -l before ''
    for word in $typed[2..]
        if test -n "$before"
            set before ''
        else if string match -q -- '-*' $word
            ${name}_values (string trim -- "$path $word") >/dev/null; and set before (string trim -- "$path $word")
        else if ${name}_words "$path" | string match -qr -- "^"(string escape --style=regex -- $word)'\\t'
            set path (string trim -- "$path $word")
        end
    end
    if test -n "$before"
        ${name}_values "$before"
    else if string match -q -- '-*' $current
        ${name}_flags "$path"
    else
        ${name}_words "$path"
    end
end
complete -c ${program} -f -a '(${name})'
complete -c npx -n 'set -l typed (commandline -opc); test "$typed[2]" = ${program}' -f -a '(${name})'
`

const cases = (of: readonly (readonly [typed: string, offered: Offered])[]): string =>
  of.map(([typed, offered]) => caseOf(typed, offered)).join('\n')

const caseOf = (typed: string, offered: Offered): string => {
  const told = offered.map(([word, says]) => `${quotedForFish(word)}\\t${quotedForFish(says)}`)
  const prints = told.length === 0 ? 'true' : `printf '%s\\n' ${told.join(' ')}`
  return `        case ${quotedForFish(typed)}\n            ${prints}`
}
