import { Argument, Command } from 'commander'
import { MillraceError, type Group, type Millrace, type Pauses, type RosterEntry } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, duration, isColour, printable, written } from '../terminal/words.ts'
import { CommandError } from '../errors.ts'
import { pauseLines } from '../groups/table.ts'
import type { Wiring } from '../wiring.ts'
import { pauseOutcome, resumeOutcome } from '../groups/pausing.ts'
import { consumerName } from './arguments.ts'
import { sayPlace } from './place.ts'
import { withRemedy } from './remedies.ts'

interface Options {
  readonly json?: boolean
}

type CheckinGroup = Group<CheckinModel['checkins']['fields']>

/** `npm run consumers`: who is in the group and lives; `remove NAME` removes one that is gone; `pause NAME`, `resume NAME`. */
export function command(wiring: Wiring): Command {
  const list = async (options: Options): Promise<void> =>
    withGroup(wiring, async (group) => {
      const [roster, pauses] = await Promise.all([group.roster(), group.pauses()])
      const text =
        options.json === true ? JSON.stringify(roster) : asText(group.name, roster, pauses)
      process.stdout.write(`${text}\n`)
    })
  const consumers = new Command()
    .description('Shows the consumers of the group and their leases.')
    .option('--json', 'print it as JSON')
    .action(list)
    // Subcommands take this over when they are made, and only then.
    .exitOverride()
  consumers
    .command('list')
    .description('The same.')
    .option('--json', 'print it as JSON')
    .action((_options: unknown, listed: Command) => list(listed.optsWithGlobals<Options>()))
  consumers
    .command('remove')
    .description('Removes a consumer that is gone; what is pending for it goes to living ones.')
    .addArgument(new Argument('<name>', 'name of the consumer, as the list shows it'))
    .option('--json', 'print the result as JSON')
    .action((name: string, _options: unknown, removed: Command) =>
      remove(wiring, name, removed.optsWithGlobals<Options>()),
    )
  consumers
    .command('pause')
    .description('Pauses a consumer: it reads and begins nothing, and keeps what it has.')
    .addArgument(new Argument('<name>', 'name of the consumer').argParser(consumerName))
    .option('--future', 'also one that the group has not got yet: it halts when it starts', false)
    .option('--json', 'print the result as JSON')
    .action((name: string, _options: unknown, paused: Command) =>
      pause(wiring, name, paused.optsWithGlobals<PauseFlags>()),
    )
  consumers
    .command('resume')
    .description('Ends the pause of a consumer.')
    .addArgument(new Argument('<name>', 'name of the consumer').argParser(consumerName))
    .option('--json', 'print the result as JSON')
    .action((name: string, _options: unknown, resumed: Command) =>
      resume(wiring, name, resumed.optsWithGlobals<Options>()),
    )
  return consumers
}

interface PauseFlags extends Options {
  readonly future: boolean
}

async function pause(wiring: Wiring, name: string, { json, future }: PauseFlags): Promise<void> {
  await withGroup(wiring, async (group, millrace) => {
    sayPlace(millrace, wiring)
    const { consumers } = await group.describe()
    try {
      const { result, line } = await pauseOutcome(group, { consumer: name }, { future })
      process.stdout.write(`${json === true ? JSON.stringify({ name, ...result }) : line}\n`)
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'NO_CONSUMER') throw error
      const names = consumers.map((consumer) => printable(consumer.name)).join(', ')
      throw new CommandError(
        `Cannot pause consumer "${name}": group ${group.name} has ${names === '' ? 'no consumers' : `only ${names}`}. ` +
          'With --future a processor of that name halts when it starts',
        { cause: error },
      )
    }
  })
}

async function resume(wiring: Wiring, name: string, { json }: Options): Promise<void> {
  await withGroup(wiring, async (group, millrace) => {
    sayPlace(millrace, wiring)
    await group.describe()
    const { result, line } = await resumeOutcome(group, { consumer: name })
    process.stdout.write(`${json === true ? JSON.stringify({ name, ...result }) : line}\n`)
  })
}

async function remove(wiring: Wiring, name: string, { json }: Options): Promise<void> {
  await withGroup(wiring, async (group, millrace) => {
    sayPlace(millrace, wiring)
    const moved = await group.removeConsumer(name)
    const rest =
      moved === 0
        ? 'Nothing was pending for it'
        : `${countOf(moved, 'pending entry waits', 'pending entries wait')} for the next sweep of a living consumer`
    const text = `Consumer ${printable(name)} of group ${group.name} is removed. ${rest}.`
    process.stdout.write(`${json === true ? JSON.stringify({ name, moved }) : text}\n`)
  })
}

async function withGroup(
  wiring: Wiring,
  work: (group: CheckinGroup, millrace: Millrace) => Promise<void>,
): Promise<void> {
  const millrace = await wiring.connect()
  try {
    await work(millrace.group(wiring.model.checkins, wiring.config.group), millrace)
  } catch (error) {
    throw withRemedy(error)
  } finally {
    await millrace.close()
  }
}

/** The table, and below it each pause. */
function asText(name: string, roster: readonly RosterEntry[], pauses: Pauses): string {
  return [asTable(roster), ...pauseLines({ name, pauses })].join('\n')
}

function asTable(roster: readonly RosterEntry[]): string {
  if (roster.length === 0) return 'The group has no consumers.'
  const rows = roster.map(({ name, state, isPaused, pending, idleMs, leaseLeftMs, holder }) => [
    printable(name),
    isPaused ? `${state}, paused` : state,
    written(pending),
    state === 'absent' ? '' : duration(idleMs),
    leaseText(leaseLeftMs),
    holder === null ? '' : `process ${holder.pid} on ${printable(holder.host)}`,
  ])
  return plainTable(rows, {
    head: ['CONSUMER', 'STATE', 'PENDING', 'IDLE', 'LEASE', 'HOLDER'],
    aligns: ['left', 'left', 'right', 'right', 'left', 'left'],
    isColour: isColour(),
  })
}

function leaseText(leftMs: number | null): string {
  if (leftMs === null) return 'none'
  return leftMs > 0 ? `for ${duration(leftMs)}` : `ended ${duration(-leftMs)} ago`
}
