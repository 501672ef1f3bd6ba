/** `millrace COMMAND ...`: what an operator does with any stream and group. */
import { operatorCommands } from './cli/catalogue.ts'
import { plainLog } from './command/log.ts'
import { run } from './command/run.ts'
import { noKnowledge, plainWords, type Service } from './service.ts'
import { version } from './version.ts'

const { env } = process

const service: Service = {
  program: 'npx millrace',
  words: plainWords,
  knowledge: noKnowledge,
  connect: async (options) =>
    (await import('./place/connect.ts')).connectByEnvironment(env, options),
  openLog: plainLog,
}

process.exitCode = await run(
  {
    name: 'millrace',
    version,
    description:
      "What an operator does with streams of Redis and their groups, Millrace's own or not.",
    helpHint: 'Help of a command: millrace <command> --help',
    catalogue: {
      'Look at it:': operatorCommands.look,
      'Keep and repair it:': operatorCommands.keep,
    },
    given: () => service,
  },
  process.argv.slice(2),
)
