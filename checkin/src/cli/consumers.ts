import { Argument, Command } from 'commander'
import type { Group, RosterEntry } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { duration, isColour, printable, written } from '../terminal/words.ts'
import type { Wiring } from '../wiring.ts'
import { pauseOutcome } from '../groups/pausing.ts'
import { consumerName } from './arguments.ts'
import { withRemedy } from './stop-signals.ts'

interface Options {
  readonly json?: boolean
}

type CheckinGroup = Group<CheckinModel['checkins']['fields']>

/** `npm run consumers`: who is in the group and lives; `remove NAME` removes one that is gone; `pause NAME`, `resume NAME`. */
export function command(wiring: Wiring): Command {
  const list = async (options: Options): Promise<void> =>
    withGroup(wiring, async (group) => {
      const roster = await group.roster()
      process.stdout.write(`${options.json === true ? JSON.stringify(roster) : asTable(roster)}\n`)
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
  for (const action of ['pause', 'resume'] as const) {
    consumers
      .command(action)
      .description(pauseTexts[action])
      .addArgument(new Argument('<name>', 'name of the consumer').argParser(consumerName))
      .option('--json', 'print the result as JSON')
      .action((name: string, _options: unknown, paused: Command) =>
        setPaused(wiring, action, name, paused.optsWithGlobals<Options>()),
      )
  }
  return consumers
}

const pauseTexts = {
  pause: 'Pauses a consumer: it reads and begins nothing, and keeps what it has.',
  resume: 'Ends the pause of a consumer.',
}

async function setPaused(
  wiring: Wiring,
  action: 'pause' | 'resume',
  name: string,
  { json }: Options,
): Promise<void> {
  await withGroup(wiring, async (group) => {
    await group.describe()
    const { result, line } = await pauseOutcome(group, action, { consumer: name })
    process.stdout.write(`${json === true ? JSON.stringify({ name, ...result }) : line}\n`)
  })
}

async function remove(wiring: Wiring, name: string, { json }: Options): Promise<void> {
  await withGroup(wiring, async (group) => {
    const moved = await group.removeConsumer(name)
    const rest =
      moved === 0
        ? 'Nothing was pending for it'
        : `${written(moved)} pending entries wait for the next sweep of a living consumer`
    const text = `Consumer ${printable(name)} of group ${group.name} is removed. ${rest}.`
    process.stdout.write(`${json === true ? JSON.stringify({ name, moved }) : text}\n`)
  })
}

async function withGroup(
  wiring: Wiring,
  work: (group: CheckinGroup) => Promise<void>,
): Promise<void> {
  const millrace = await wiring.connect()
  try {
    await work(millrace.group(wiring.model.checkins, wiring.config.group))
  } catch (error) {
    throw withRemedy(error)
  } finally {
    await millrace.close()
  }
}

function asTable(roster: readonly RosterEntry[]): string {
  if (roster.length === 0) return 'The group has no consumers.'
  const rows = roster.map(({ name, state, isPaused, pending, idleMs, leaseLeftMs, holder }) => [
    printable(name),
    isPaused ? `${state}, paused` : state,
    written(pending),
    duration(idleMs),
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
