/**
 * The guard: a few ratios, small enough for every day, against those that are committed in `quick-baseline.json`. Ratios
 * within one run say more than rates: another machine, or a busy one, changes both sides.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ratioOf, type Row } from '../measure/rounds.ts'
import { decimals } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import type { Benchmark, Result, Scale } from './benchmark.ts'
import { drainCases, drainColumns, drainHeadline } from './drain-cases.ts'

/** Ratios by what is compared: `millrace-pull / batch-loop`. */
export type Ratios = Readonly<Record<string, number>>

/** A ratio that is below this part of the committed one is a regression. */
export const partKept = 0.6

const entries: Readonly<Record<Scale, number>> = { full: 60_000, short: 60_000, tiny: 1000 }
const waits = { waitMs: 5, concurrency: 100 }
const groups = { nothing: 'apply', waits: 'a handler that waits' }

export const quick: Benchmark = {
  name: 'quick',
  title: 'Quick: ratios against those that are committed',
  cases: ({ scale }) => {
    const { batchLoop, floor, pushDown, pull, handler, waitsAlone } = rivals
    const all = [{ ...batchLoop, share: 1 }, floor, pushDown, pull, handler]
    const waiting = [waitsAlone, handler].map((rival) => ({
      ...rival,
      share: 0.2,
      setup: { ...rival.setup, ...waits },
    }))
    return Promise.resolve([
      ...drainCases({ group: groups.nothing, entries: entries[scale] }, all),
      ...drainCases({ group: groups.waits, entries: entries[scale] }, waiting),
    ])
  },
  headline: drainHeadline,
  columns: [drainColumns.rival, drainColumns.checkins, drainColumns.rate],
  compared: 'rate',
  notes: [],
}

/** What the guard watches, from the medians of a run. */
export function ratiosOf({ rows }: Result): Ratios {
  const find = (name: string, group: string): Row | undefined =>
    rows.find((row) => row.rival === name && row.group === group)
  const { batchLoop, floor, pushDown, pull, handler, waitsAlone } = rivals
  const watched = [
    ...[pushDown, pull, handler].map((ours) => [ours, batchLoop, groups.nothing] as const),
    ...[pushDown, pull].map((ours) => [ours, floor, groups.nothing] as const),
    [handler, waitsAlone, groups.waits] as const,
  ]
  const ratios = watched.flatMap(([ours, base, group]) => {
    const ratio = ratioOf(find(ours.name, group), find(base.name, group), 'rate')
    return ratio === undefined ? [] : [[`${ours.name} / ${base.name}`, ratio.median] as const]
  })
  return Object.fromEntries(ratios)
}

/** One line per ratio, and whether one of them is a regression. */
export function compare(
  now: Ratios,
  committed: Ratios,
): { lines: string[]; isRegression: boolean } {
  const show = decimals(2)
  const compared = Object.entries(now).map(([name, ratio]) => {
    const before = committed[name]
    if (before === undefined) return { isBad: false, line: `new      ${name}: ${show(ratio)}` }
    const isBad = ratio < before * partKept
    const verdict = isBad ? 'slower ' : 'fine   '
    const least = `${show(before)} committed, at least ${show(before * partKept)} wanted`
    return { isBad, line: `${verdict}  ${name}: ${show(ratio)} (${least})` }
  })
  return {
    lines: compared.map(({ line }) => line),
    isRegression: compared.some(({ isBad }) => isBad),
  }
}

const baselineFile = fileURLToPath(new URL('./quick-baseline.json', import.meta.url))

export async function loadBaseline(): Promise<Ratios> {
  return JSON.parse(await readFile(baselineFile, 'utf8')) as Ratios
}

/** Resolves to the file. */
export async function saveBaseline(ratios: Ratios): Promise<string> {
  const rounded = Object.entries(ratios).map(([name, ratio]) => [name, Number(ratio.toFixed(3))])
  await writeFile(baselineFile, `${JSON.stringify(Object.fromEntries(rounded), null, 2)}\n`)
  return baselineFile
}
