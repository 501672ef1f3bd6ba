/** All commands, by purpose: how the front door finds them and what its overview says. */
import { Command } from 'commander'
import type { Wiring } from '../wiring.ts'

interface Listed {
  /** What `checkin COMMAND` is called; the seed's name, where there is one, is the second. */
  readonly names: readonly [name: string, seedsName?: string]
  readonly summary: string
  readonly load: () => Promise<{ command: (wiring: Wiring) => Command }>
}

const catalogue: Readonly<Record<string, readonly Listed[]>> = {
  'Run the service:': [
    {
      names: ['start'],
      summary: 'the whole service in one terminal',
      load: () => import('./start.ts'),
    },
    {
      names: ['redis'],
      summary: 'the redis-server of this checkout alone',
      load: () => import('./redis.ts'),
    },
    {
      names: ['load'],
      summary: 'put sample data, or data of a folder, into Redis',
      load: () => import('./load.ts'),
    },
    {
      names: ['receiver', 'checkinreceiver'],
      summary: 'take check-ins by HTTP',
      load: () => import('./checkinreceiver.ts'),
    },
    {
      names: ['group-processor'],
      summary: 'process check-ins as one consumer of the group',
      load: () => import('./group-processor.ts'),
    },
    {
      names: ['checkingroupprocessor'],
      summary: 'the same as an exercise: one check-in at a time, with pauses',
      load: () => import('./checkingroupprocessor.ts'),
    },
    {
      names: ['processor', 'checkinprocessor'],
      summary: 'process check-ins alone, without a group',
      load: () => import('./checkinprocessor.ts'),
    },
    {
      names: ['generator', 'checkingenerator'],
      summary: 'post random check-ins to the receiver',
      load: () => import('./checkingenerator.ts'),
    },
    {
      names: ['api-keys'],
      summary: 'say who may use the receiver',
      load: () => import('./api-keys.ts'),
    },
  ],
  'Look at it:': [
    {
      names: ['groups'],
      summary: 'groups, consumers and what is pending; create, pause or resume the group',
      load: () => import('./groups.ts'),
    },
    {
      names: ['consumers'],
      summary: 'who is alive; remove, pause or resume a consumer',
      load: () => import('./consumers.ts'),
    },
    {
      names: ['dead-letters'],
      summary: 'what could not be processed; redrive or purge it',
      load: () => import('./dead-letters.ts'),
    },
    {
      names: ['doctor'],
      summary: 'what is wrong, why it matters, and what helps',
      load: () => import('./doctor.ts'),
    },
  ],
  'Keep and repair it:': [
    {
      names: ['recover'],
      summary: 'bring back a group that was lost or moved',
      load: () => import('./recover.ts'),
    },
    {
      names: ['trim'],
      summary: 'remove check-ins that every group has processed',
      load: () => import('./trim.ts'),
    },
    {
      names: ['reindex'],
      summary: 'build rankings and positions from the hashes',
      load: () => import('./reindex.ts'),
    },
  ],
}

/** Loads a command by its name or the seed's; undefined when there is none. */
export async function loadCommand(
  name: string,
): Promise<((wiring: Wiring) => Command) | undefined> {
  const found = Object.values(catalogue)
    .flat()
    .find(({ names }) => names.includes(name))
  return (await found?.load())?.command
}

/** The command that only knows the names of the others: for the overview, and for names that are none. */
export function overview(version: string): Command {
  const program = new Command('checkin')
    .description('The check-in service: Redis Streams, processed by a consumer group.')
    .usage('<command> [options]')
    .version(version)
    .exitOverride()
    .helpCommand(false)
    .showHelpAfterError('All commands: checkin --help')
    .addHelpText(
      'after',
      '\nHelp of a command: checkin <command> --help, or npm run <command> -- --help',
    )
  for (const [purpose, commands] of Object.entries(catalogue)) {
    program.commandsGroup(purpose)
    for (const { names, summary } of commands) {
      const [name, seedsName] = names
      const listed = program.command(name).summary(summary)
      if (seedsName !== undefined) listed.alias(seedsName)
    }
  }
  return program
}

/**
 * Refuses a first word that is none of the subcommands, as commander does where a command has no work of its own.
 * @throws {CommanderError} when it has said so, with the name that may be meant.
 */
export function checkSubcommand(command: Command, [word = '-']: readonly string[]): void {
  const names = command.commands.map((subcommand) => subcommand.name())
  if (names.length === 0 || word.startsWith('-') || ['help', ...names].includes(word)) return
  const known = new Command(command.name())
    .exitOverride()
    .showHelpAfterError(`There are ${names.join(', ')}`)
  for (const name of names) known.command(name)
  known.parse([word], { from: 'user' })
}
