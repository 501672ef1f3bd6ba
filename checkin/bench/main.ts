/** The front door of the benchmarks: `npm run bench [-- NAME]`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { CommandError, UsageError } from '../src/errors.ts'
import { runApply } from './apply.ts'
import { ingestTable, runIngest } from './ingest.ts'
import type { AppendOnly } from './measurement.ts'
import { reportFile, resultsFolder } from './places.ts'
import { renderReport } from './report.ts'
import { loadResult, saveResult } from './results.ts'
import { renderTable } from './table.ts'

interface Options {
  readonly rounds: number
  readonly entries: number
  readonly aof: AppendOnly
  readonly json: boolean
  readonly results: string
}

const version = '0.1.0'

/** What can be run by name. */
const benchmarks: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  apply,
  ingest,
  report,
}

process.exitCode = await run(process.argv.slice(2))

/** Exit codes: 0 done, 1 failed, 2 wrong usage. */
async function run(args: string[]): Promise<number> {
  try {
    await command().parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return failed(error)
  }
}

function command(): Command {
  return new Command('npm run bench --')
    .description(
      'Measures Millrace and its rivals in one run on this machine, and checks every result.',
    )
    .argument('[name]', `what to run: ${Object.keys(benchmarks).join(', ')}`, 'apply')
    .option('--rounds <n>', 'rounds, in each of which every rival runs once', wholeNumber, 5)
    .option('--entries <n>', 'check-ins in the stream', wholeNumber, 200_000)
    .addOption(
      new Option('--aof <mode>', 'append-only file of the measured servers')
        .choices(['no', 'everysec', 'always'])
        .default('no'),
    )
    .option('--json', 'print the result as JSON instead of the table', false)
    .option('--results <folder>', 'where results are kept', resultsFolder)
    .version(version)
    .exitOverride()
    .action(async (name: string, options: Options) => {
      const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
      if (benchmark === undefined) {
        const known = Object.keys(benchmarks).join(', ')
        throw new UsageError(`Cannot run benchmark "${name}": there are ${known}`)
      }
      await benchmark(options)
    })
}

/** From a full stream to correct hashes. */
async function apply({ rounds, entries, aof, json, results }: Options): Promise<void> {
  const result = await runApply({ rounds, entries, appendOnly: aof }, say)
  say(`written to ${await saveResult(results, result)}`)
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : renderTable(result))
}

/** Check-ins over HTTP. */
async function ingest({ rounds, aof, json }: Options): Promise<void> {
  const settings = { rounds, seconds: 5, connections: 64, appendOnly: aof }
  const result = await runIngest(settings, say)
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : ingestTable(result))
}

/** Writes `docs/benchmarks.md` from the results that are there. */
async function report({ results }: Options): Promise<void> {
  const text = renderReport(await loadResult(results, 'apply'))
  await mkdir(dirname(reportFile), { recursive: true })
  await writeFile(reportFile, text)
  say(`written to ${reportFile}`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Allowed is a whole number from 1.')
}

function failed(error: unknown): number {
  // Commander has printed its own message, and help and version are no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const isExpected = error instanceof UsageError || error instanceof CommandError
  const text = isExpected ? error.message : error instanceof Error ? error.stack : String(error)
  process.stderr.write(`error: ${text ?? 'unknown'}\n`)
  return error instanceof UsageError ? 2 : 1
}
