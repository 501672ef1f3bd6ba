/**
 * How good the tests are as a net: `npm run mutants -- [FILTER] [--count N] [--seed S]`. FILTER is the name of an area
 * (`areas.ts`) or a part of a path. Exit codes: 0 ran, whatever survived; 1 could not run; 2 wrong usage.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { flagsTakenByNpm } from '../scripts/flags-taken-by-npm.mjs'
import { thisCheckout } from '../testing/processes.ts'
import { seedOfRun } from '../testing/seeded-random.ts'
import { areas } from './areas.ts'
import { candidatesIn } from './candidates.ts'
import { lineOf, tableOf } from './report.ts'
import { runMutants } from './run.ts'

const usage = `npm run mutants -- [FILTER] [options]
  FILTER          the name of an area, or a part of a path: lua, claim, consume/lease
  --count <n>     how many mutants (default 20), spread evenly over the areas
  --seed <n>      the same mutants again (default: MILLRACE_SEED or the time)
  --parallel <n>  how many at a time (default 2)
  --wide          a survivor meets all other test files, too
  --fresh         measures again what was measured with older sources`

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const [taken] = flagsTakenByNpm('mutants', /^(?:count|seed|parallel|wide|fresh)$/)
  if (taken !== undefined) {
    console.error(`npm took ${taken} for itself. Put "--" before it: npm run mutants -- ${taken}`)
    return 2
  }
  const flags = read(args)
  if (flags === undefined) return 2
  if (!isBuilt()) return 1
  const judged = await runMutants({
    ...flags,
    checkout: thisCheckout,
    judged: (one) => console.log(lineOf(one)),
    say: (line) => console.error(line),
  })
  console.log(`\n${tableOf(judged)}`)
  return 0
}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        count: { type: 'string', default: '20' },
        seed: { type: 'string', default: String(seedOfRun) },
        parallel: { type: 'string', default: '2' },
        wide: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
      },
    })
    const [filter, ...more] = positionals
    if (more.length > 0) throw new TypeError('one FILTER at most')
    if (candidatesIn(thisCheckout, areas, filter).length === 0) {
      throw new RangeError(`no area and no source of one matches "${filter ?? ''}"`)
    }
    return {
      filter,
      count: whole(values.count, 1),
      seed: whole(values.seed, 0),
      parallel: whole(values.parallel, 1),
      isWide: values.wide,
      isFresh: values.fresh,
    }
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return undefined
  }
}

function whole(text: string, least: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < least || value > 2 ** 31) {
    throw new RangeError(`not a whole number from ${least} on: ${text}`)
  }
  return value
}

/** Some tests run the built commands; a copy takes the build along, and builds what it mutates. */
function isBuilt(): boolean {
  const options = { cwd: thisCheckout, stdio: 'inherit' } as const
  return spawnSync('npm', ['run', '--silent', 'build'], options).status === 0
}
