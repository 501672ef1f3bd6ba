import { Command } from 'commander'
import { MillraceError, type Millrace } from 'millrace'
import type { CheckinModel } from '../domain/checkins.ts'
import { wrongKeys } from '../domain/wrong-keys.ts'
import { CommandError, UsageError } from '../errors.ts'
import { overviewOf } from '../groups/overview.ts'
import { asTable } from '../groups/table.ts'
import { isColour } from '../terminal/words.ts'
import { pauseOutcome, resumeOutcome } from '../groups/pausing.ts'
import { addRepairs } from './groups-repair.ts'
import { sayPlace } from './place.ts'
import { creationRemedy, withRemedy } from './remedies.ts'
import type { Wiring } from '../wiring.ts'

interface Options {
  readonly json?: boolean
}

interface CreateOptions extends Options {
  readonly from: string
}

/**
 * `npm run groups`: shows the groups of the stream, makes stream and group (`create`), pauses and resumes the group, repairs
 * what was done to it by hand.
 */
export function command(wiring: Wiring): Command {
  const groups = new Command()
    .description('Shows the groups of the stream, their consumers, and what is pending.')
    .option('--json', 'print it as JSON')
    .action((options: Options) => show(wiring, options))
    // Subcommands take this over when they are made, and only then.
    .exitOverride()
  groups
    .command('create')
    .description('Makes the group, and the stream if it does not exist.')
    .option('--from <id>', 'deliver what comes after this id: 0 (all), $ (only new) or an id', '0')
    .option('--json', 'print the result as JSON')
    .action((_options: unknown, created: Command) =>
      create(wiring, created.optsWithGlobals<CreateOptions>()),
    )
  for (const action of ['pause', 'resume'] as const) {
    groups
      .command(action)
      .description(pauseTexts[action])
      .option('--json', 'print the result as JSON')
      .action((_options: unknown, paused: Command) =>
        setPaused(wiring, action, paused.optsWithGlobals<Options>()),
      )
  }
  addRepairs(groups, wiring)
  return groups
}

const pauseTexts = {
  pause: 'Pauses the group: its consumers read and begin nothing, and keep what they have.',
  resume: 'Ends the pause of the group.',
}

async function setPaused(
  wiring: Wiring,
  action: 'pause' | 'resume',
  { json }: Options,
): Promise<void> {
  const millrace = await wiring.connect()
  try {
    sayPlace(millrace, wiring)
    const group = millrace.group(wiring.model.checkins, wiring.config.group)
    await group.describe()
    const text = await (action === 'pause'
      ? pauseOutcome(group, 'group', {})
      : resumeOutcome(group, 'group'))
    const result = { stream: group.stream.key, group: group.name, ...text.result }
    process.stdout.write(`${json === true ? JSON.stringify(result) : text.line}\n`)
  } catch (error) {
    throw withRemedy(error)
  } finally {
    await millrace.close()
  }
}

async function show(wiring: Wiring, options: Options): Promise<void> {
  const millrace = await wiring.connect()
  try {
    const overview = await overviewOf(millrace, wiring.model, wiring.config.group)
    const text =
      options.json === true ? JSON.stringify(overview) : asTable(overview, { isColour: isColour() })
    process.stdout.write(`${text}\n`)
  } catch (error) {
    throw await explained(error, millrace, wiring.model, wiring.config.group)
  } finally {
    await millrace.close()
  }
}

async function create(wiring: Wiring, { from, json }: CreateOptions): Promise<void> {
  checkStart(from)
  const { checkins } = wiring.model
  const { group } = wiring.config
  const millrace = await wiring.connect()
  try {
    sayPlace(millrace, wiring)
    const { created } = await millrace.group(checkins, group).create({ from })
    const state = created ? `is created and begins at ${from}` : 'exists already; nothing changed'
    const result = { stream: checkins.key, group, created, ...(created && { from }) }
    const text =
      json === true
        ? JSON.stringify(result)
        : `Group "${group}" of stream "${checkins.key}" ${state}.`
    process.stdout.write(`${text}\n`)
  } catch (error) {
    throw withRemedy(error)
  } finally {
    await millrace.close()
  }
}

/** @throws {UsageError} when it is not what XGROUP CREATE takes. */
function checkStart(from: string): void {
  const parts = from.split('-')
  const isId =
    parts.length <= 2 && parts.every((part) => /^\d{1,20}$/.test(part) && BigInt(part) < 2n ** 64n)
  if (from === '$' || isId) return
  throw new UsageError(
    `Cannot use ${JSON.stringify(from)} as --from: allowed are 0 (the whole stream), $ (only what comes) ` +
      'and an entry id like 1740790744731-0',
  )
}

/** Says in terms of our commands what the engine has found. */
async function explained(
  error: unknown,
  millrace: Millrace,
  model: CheckinModel,
  name: string,
): Promise<unknown> {
  if (!(error instanceof MillraceError)) return error
  const action = `Cannot show the groups of stream "${model.checkins.key}" at ${millrace.url}`
  if (error.code === 'NO_STREAM') {
    return new CommandError(`${action}: it does not exist. ${creationRemedy}`, { cause: error })
  }
  if (error.code !== 'WRONG_TYPE') return error
  const group = millrace.group(model.checkins, name)
  const [wrong] = await wrongKeys(millrace, model, group)
  const state =
    wrong === undefined
      ? error.message
      : `key "${wrong.key}" holds a ${wrong.holds}, not a ${wrong.expected}`
  return new CommandError(`${action}: ${state}. Move it away, or set KEY_PREFIX`, { cause: error })
}
