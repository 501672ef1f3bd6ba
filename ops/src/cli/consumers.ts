import { Argument, Command } from 'commander'
import type { Pauses, RosterEntry } from 'millrace/operate'
import { consumerName } from '../command/arguments.ts'
import { CommandError } from '../command/errors.ts'
import { addPlace, at, type Place, type PlaceFlags } from '../place/place.ts'
import { foreignNameOf, lookAtForeign } from '../groups/foreign-name.ts'
import { isManaged } from '../groups/is-managed.ts'
import { pauseLines } from '../groups/table.ts'
import type { Service } from '../service.ts'
import { plainTable } from '../terminal/plain-table.ts'
import { countOf, duration, isColour, printable, written } from '../terminal/words.ts'
import { print } from './output.ts'
import { futureText, setPaused, type PauseFlags } from './pause.ts'

interface Flags extends PlaceFlags {
  readonly json?: boolean
}

/** `consumers`: who is in the group and lives; `remove NAME` removes one that is gone; `pause NAME`, `resume NAME`. */
export function command(service: Service): Command {
  const json = ['--json', 'print it as JSON'] as const
  const consumers = addPlace(
    new Command().description('Shows the consumers of the group and their leases.').option(...json),
    service,
  )
    .action((flags: Flags) => list(service, flags))
    // Subcommands take this over when they are made, and only then.
    .exitOverride()
  const add = (name: string, description: string): Command =>
    addPlace(
      consumers
        .command(name)
        .description(description)
        .option(...json),
      service,
    )
  const one = (name: string, description: string): Command =>
    add(name, description).addArgument(
      new Argument('<name>', 'name of the consumer').argParser(consumerName),
    )
  add('list', 'The same.').action((_flags: unknown, made: Command) =>
    list(service, made.optsWithGlobals<Flags>()),
  )
  add('remove', 'Removes a consumer that is gone; what is pending for it goes to living ones.')
    .addArgument(new Argument('<name>', 'name of the consumer, as the list shows it'))
    .action((name: string, _flags: unknown, made: Command) =>
      remove(service, name, made.optsWithGlobals<Flags>()),
    )
  one('pause', 'Pauses a consumer: it reads and begins nothing, and keeps what it has.')
    .option('--future', futureText, false)
    .action((consumer: string, _flags: unknown, made: Command) =>
      setPaused(service, 'pause', { consumer }, made.optsWithGlobals<PauseFlags>()),
    )
  one('resume', 'Ends the pause of a consumer.').action(
    (consumer: string, _flags: unknown, made: Command) =>
      setPaused(service, 'resume', { consumer }, made.optsWithGlobals<Flags>()),
  )
  return consumers
}

async function list(service: Service, flags: Flags): Promise<void> {
  const work = async (place: Place): Promise<void> => {
    const { name, roster, pauses, isOurs } = await listed(place)
    const note =
      roster.length === 0 || isOurs
        ? []
        : ['None of them is of Millrace: without leases nobody can tell who lives.']
    print(flags.json, roster, [asText(name, roster, pauses), ...note].join('\n'))
  }
  await at(service, flags, work, { anyName: true })
}

interface Listed {
  readonly name: string
  readonly roster: readonly RosterEntry[]
  readonly pauses: Pauses
  /** Consumers of the engine have worked there. */
  readonly isOurs: boolean
}

async function listed(place: Place): Promise<Listed> {
  const { millrace, stream, group } = place
  const foreign = foreignNameOf(place)
  if (foreign === undefined) {
    const [roster, pauses] = await Promise.all([group.roster(), group.pauses()])
    return { name: group.name, roster, pauses, isOurs: await isManaged(millrace, group) }
  }
  const { consumers } = (await lookAtForeign(millrace, stream.key, foreign)).group
  const roster = consumers.map((one) => {
    const { name, pending, idleMs, state, isPaused, pause, leaseLeftMs, holder } = one
    return { name, pending, idleMs, state, isPaused, pause, leaseLeftMs, holder }
  })
  return { name: foreign, roster, pauses: { group: null, consumers: {} }, isOurs: false }
}

async function remove(service: Service, name: string, flags: Flags): Promise<void> {
  const work = async (place: Place): Promise<void> => {
    const { group, words } = place
    await checkHeirs(place, name)
    const moved = await group.removeConsumer(name)
    const rest =
      moved === 0
        ? 'Nothing was pending for it'
        : `${countOf(moved, 'pending entry waits', 'pending entries wait')} for the next sweep of a living ${words.worker[0]}`
    const text = `Consumer ${printable(name)} of group ${group.name} is removed. ${rest}.`
    print(flags.json, { name, moved }, text)
  }
  await at(service, flags, work, { changes: true })
}

/**
 * What is pending is kept for the next sweep, and others than consumers of the engine do not sweep.
 * @throws {CommandError} when it would wait for ever.
 */
async function checkHeirs({ millrace, group }: Place, name: string): Promise<void> {
  if (await isManaged(millrace, group)) return
  const { consumers } = await group.describe()
  const held = consumers.find((consumer) => consumer.name === name)?.pending ?? 0
  if (held === 0) return
  throw new CommandError(
    `Cannot remove consumer "${printable(name)}" of group "${group.name}": ${countOf(held, 'entry is', 'entries are')} pending for it, ` +
      'and no consumer of Millrace works on this group, which would take them. ' +
      'Let another consumer take them first (XAUTOCLAIM), then remove it',
  )
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
