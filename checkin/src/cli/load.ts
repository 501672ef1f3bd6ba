import { resolve } from 'node:path'
import { Command } from 'commander'
import { CommandError, sayPlace } from 'millrace-ops/command'
import { readPosition } from '../domain/position.ts'
import { readDataFolder, sampleFolder, type LoadedData } from '../loader/data-folder.ts'
import { beyondInWords, countsInWords, load, typedLoad } from '../loader/load.ts'
import { openProgress } from '../loader/progress.ts'
import type { Removed } from '../loader/replacement.ts'
import type { Stock } from '../loader/stock.ts'
import { countOf, quoted, written } from 'millrace-ops/terminal'
import type { Wiring } from '../wiring.ts'
import { confirmed } from '../terminal/confirmed.ts'

interface Options {
  readonly data?: string
  readonly force?: boolean
  readonly replace?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

/** `npm run load`: replaces what is in Redis by a data folder. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description(
      'Loads users, locations and check-ins from JSON files, in the place of those in Redis, and creates the group at 0.',
    )
    .option(
      '--data <folder>',
      'holds users.json, locations.json and checkins.json (default: sample data)',
    )
    .option('--replace', 'remove also what is no sample data; says how much, and asks')
    .option('--yes', 'do not ask, with --replace')
    .option('--force', 'load even while consumers are alive')
    .option('--json', 'print the summary as JSON')
    .action((options: Options) => run(wiring, options))
}

async function run(wiring: Wiring, options: Options): Promise<void> {
  const { model, config } = wiring
  const folder = options.data === undefined ? sampleFolder : resolve(options.data)
  // All of the data is checked before Redis is asked for anything.
  const data = await readDataFolder(folder, model)
  const millrace = await wiring.connect()
  const total = data.users.length + data.locations.length + data.checkins.length
  const progress = openProgress(process.stderr, total)
  sayPlace(millrace, wiring.model.checkins.key, wiring.config.group)
  try {
    const removed = await load(millrace, data, {
      model,
      group: config.group,
      isForced: options.force ?? false,
      flags: flagsOf(options),
      ...(options.data === undefined ? {} : { known: [await readDataFolder(sampleFolder, model)] }),
      ...(options.replace === true && { onReplace: asks(millrace.url, options) }),
      onWritten: (count) => progress.written(count),
      onDisturbed: (consumers) =>
        process.stderr.write(`warning: consumers are alive: ${consumers.join(', ')}\n`),
    })
    progress.end()
    const { checkins } = model
    const where = { folder, stream: checkins.key, group: config.group }
    const summary = { ...where, ...countsOf(data), removed }
    process.stdout.write(`${options.json === true ? JSON.stringify(summary) : inWords(summary)}\n`)
  } finally {
    progress.end()
    await millrace.close()
  }
}

/** Says what goes, and asks whether it may. */
function asks(url: string, options: Options): (stock: Stock) => Promise<void> {
  return async (stock) => {
    process.stderr.write(
      `This removes from ${url}: ${countsInWords(stock.all)}, all groups and all that is known about them. ` +
        `Sample data is none of: ${beyondInWords(stock)}.\n`,
    )
    if (options.yes === true || (await confirmed('Type "yes" to remove it: '))) return
    const line = typedLoad(flagsOf(options), '--yes')
    throw new CommandError(`Nothing was loaded, as nobody said yes. Without a terminal: ${line}`)
  }
}

/** As they were typed. */
function flagsOf({ data, replace, yes, force, json }: Options): string[] {
  const plain = { replace, yes, force, json }
  const names = Object.entries(plain).flatMap(([name, isOn]) => (isOn === true ? [name] : []))
  const folder = data === undefined || /^[\w./-]+$/.test(data) ? data : quoted(data)
  return [
    ...(folder === undefined ? [] : [`--data ${folder}`]),
    ...names.map((name) => `--${name}`),
  ]
}

interface Summary {
  readonly folder: string
  readonly stream: string
  readonly group: string
  readonly users: number
  readonly locations: number
  readonly checkins: number
  /** Locations whose field `location` is missing or no position: nobody finds them nearby. */
  readonly unplaced: number
  readonly removed: Removed
}

function countsOf({ users, locations, checkins }: LoadedData) {
  const unplaced = locations.filter(({ location }) => readPosition(location) === undefined)
  return {
    users: users.length,
    locations: locations.length,
    checkins: checkins.length,
    unplaced: unplaced.length,
  }
}

function inWords(summary: Summary): string {
  const { folder, stream, group, unplaced, removed } = summary
  const isReplaced = Object.values(removed).some((count: number) => count > 0)
  return [
    `Loaded ${counted(summary)} from ${folder}.`,
    `Stream "${stream}" is complete and group "${group}" begins at 0.`,
    isReplaced
      ? `Removed from before: ${counted(removed)}, ${countOf(removed.deadLetters, 'dead letter')}.`
      : 'Nothing was there before.',
    ...(unplaced === 0 ? [] : [`Locations that cannot be found nearby: ${written(unplaced)}.`]),
  ].join(' ')
}

function counted(counts: { users: number; locations: number; checkins: number }): string {
  const { users, locations, checkins } = counts
  return [
    countOf(users, 'user'),
    countOf(locations, 'location'),
    countOf(checkins, 'check-in'),
  ].join(', ')
}
