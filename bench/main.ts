/** The front door of the benchmarks: `npm run bench [-- NAME]`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { callOf } from '../ops/src/command/called-by.ts'
import { refuseSwallowed } from '../ops/src/command/swallowed-flags.ts'
import { CommandError, UsageError } from '../ops/src/command/errors.ts'
import { benchmarks } from './benchmarks/all.ts'
import type { Benchmark, Scale } from './benchmarks/benchmark.ts'
import { compare, loadBaseline, quick, ratiosOf, saveBaseline } from './benchmarks/quick.ts'
import { documentsFolder, resultsFolder } from './places.ts'
import { renderReport } from './report/report.ts'
import { renderTerminal } from './report/terminal.ts'
import { loadResult, saveResult } from './results.ts'
import { runBenchmark } from './run.ts'

interface Options {
  readonly full: boolean
  readonly scale?: Scale
  readonly rounds?: number
  readonly json: boolean
  readonly results: string
  readonly documents: string
  readonly accept: boolean
}

const version = '0.1.0'
const roundsOf: Readonly<Record<Scale, number>> = { full: 5, short: 3, tiny: 1 }

/** What is no benchmark of its own. */
const others: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  all: (options) => measure(benchmarks, options),
  full: (options) => measure(benchmarks, { ...options, full: true }),
  quick: guard,
  report,
}

process.exitCode = await run(process.argv.slice(2))

/** Exit codes: 0 done, 1 failed, 2 wrong usage. */
async function run(args: string[]): Promise<number> {
  try {
    const made = command()
    refuseSwallowed(made, { call: callOf('bench', 'bench', process.env), args, env: process.env })
    await made.parseAsync(args, { from: 'user' })
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
    .argument('[name]', `what to run: ${names().join(', ')}`, 'all')
    .option('--full', 'measure as for the document: more rounds, larger sizes', false)
    .addOption(
      new Option('--scale <scale>', 'as --full, by name').choices(['full', 'short', 'tiny']),
    )
    .option('--rounds <n>', 'rounds, in each of which everything runs once', wholeNumber)
    .option('--json', 'print the results as JSON instead of tables', false)
    .option('--results <folder>', 'where results are kept', resultsFolder)
    .option('--documents <folder>', 'report: where it is written', documentsFolder)
    .option('--accept', 'quick: make this run the one to compare with', false)
    .version(version)
    .exitOverride()
    .action(async (name: string, options: Options) => {
      const benchmark = benchmarks.find((known) => known.name === name)
      const other = Object.hasOwn(others, name) ? others[name] : undefined
      if (benchmark !== undefined) await measure([benchmark], options)
      else if (other !== undefined) await other(options)
      else {
        throw new UsageError(`Cannot run benchmark "${name}": there are ${names().join(', ')}`)
      }
    })
}

function names(): string[] {
  return [...Object.keys(others), ...benchmarks.map(({ name }) => name)]
}

async function measure(chosen: readonly Benchmark[], options: Options): Promise<void> {
  const scale = options.scale ?? (options.full ? 'full' : 'short')
  const plan = { scale, rounds: options.rounds ?? roundsOf[scale] }
  for (const benchmark of chosen) {
    const result = await runBenchmark(benchmark, plan, say)
    say(`written to ${await saveResult(options.results, result)}`)
    const shown = options.json ? JSON.stringify(result, null, 2) : renderTerminal(benchmark, result)
    process.stdout.write(`${shown}\n`)
  }
}

/** Compares ratios with the committed ones. @throws {CommandError} when one has become much worse. */
async function guard({
  scale = 'short',
  rounds = roundsOf[scale],
  accept,
}: Options): Promise<void> {
  const ratios = ratiosOf(await runBenchmark(quick, { scale, rounds }, say))
  if (accept) {
    say(`written to ${await saveBaseline(ratios)}`)
    return
  }
  const { lines, isRegression } = compare(ratios, await loadBaseline())
  process.stdout.write(`${lines.join('\n')}\n`)
  if (isRegression) {
    throw new CommandError(
      'Slower than committed. If that is meant, commit what "npm run bench -- quick --accept" writes',
    )
  }
}

/** Writes `docs/benchmarks.md` and its pictures from the results that are there. */
async function report({ results, documents }: Options): Promise<void> {
  const loaded = await Promise.all(benchmarks.map(({ name }) => loadResult(results, name)))
  const files = renderReport(loaded.filter((result) => result !== undefined))
  for (const [name, content] of files) {
    const file = join(documents, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
    say(`written to ${file}`)
  }
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
