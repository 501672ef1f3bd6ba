/** `completion bash | zsh | fish`: prints what the shell needs to complete commands, flags and values. */
import { Argument, Command } from 'commander'
import { bashCompletion } from './bash.ts'
import { choicesOf, declaredIn, type DeclaredCommand } from './declared.ts'
import { fishCompletion } from './fish.ts'
import { zshCompletion } from './zsh.ts'

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

/**
 * @param program its name
 * @param makeAll makes all its commands, whatever that costs: it is done once for a shell, and not at each key
 */
export function completionCommand(
  program: string,
  makeAll: () => Promise<readonly Command[]>,
): Command {
  return new Command()
    .description('Prints what a shell needs to complete commands, flags and values.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(shells)))
    .addHelpText(
      'after',
      `
For each new shell:
  bash  echo 'eval "$(npx ${program} completion bash)"' >> ~/.bashrc
  zsh   echo 'eval "$(npx ${program} completion zsh)"' >> ~/.zshrc    (behind compinit)
  fish  npx ${program} completion fish > ~/.config/fish/completions/${program}.fish`,
    )
    .action(async (shell: keyof typeof shells) => {
      process.stdout.write(shells[shell](program, choicesOf(declaredBy(await makeAll()))))
    })
}

function declaredBy(commands: readonly Command[]): DeclaredCommand[] {
  const all = new Command()
  for (const command of commands) all.addCommand(command)
  const [own, ...below] = declaredIn(all, '')
  // The program itself has --help and --version alone.
  return own === undefined ? [] : [{ ...own, flags: [...own.flags, version] }, ...below]
}

const version = { flag: '--version', says: 'print the version', takesValue: false, values: [] }
