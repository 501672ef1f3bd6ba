/** What the benchmarks shall reach, as data: each bar is judged by the medians of one result. */
import { applyGroups } from './benchmarks/apply.ts'
import type { Result } from './benchmarks/benchmark.ts'
import { ratioOf, type Row } from './measure/rounds.ts'
import { short } from './report/format.ts'
import { rivals } from './rivals/all.ts'

interface Bar {
  readonly benchmark: string
  readonly what: string
  readonly unit: string
  /** The median has to be at least, or at most, this. */
  readonly least?: number
  readonly most?: number
  /** Undefined: not measured in this run. */
  readonly value: (find: Find) => number | undefined
}

/** Finds the row of a rival under some conditions. */
interface Find {
  readonly row: (rival: string, group: string) => Row | undefined
}

/** A bar and what was measured. */
export interface Verdict {
  readonly benchmark: string
  readonly what: string
  readonly wanted: string
  readonly measured: string
  readonly isReached: boolean
}

const pushDown = rivals.pushDown.name
const pull = rivals.pull.name
const handler = rivals.handler.name

/** Ours by rate against a peer, in the same group and the same rounds. */
function times(ours: string, peer: string, group: string): Bar['value'] {
  return ({ row }) => ratioOf(row(ours, group), row(peer, group), 'rate')?.median
}

function figure(rival: string, group: string, name: string): Bar['value'] {
  return ({ row }) => row(rival, group)?.figures[name]?.median
}

const { off, everysec, many } = applyGroups

const bars: readonly Bar[] = [...applyBars()]

function applyBars(): Bar[] {
  const bar = { benchmark: 'apply' }
  return [
    {
      ...bar,
      what: "push-down against the seed's loop, one consumer",
      unit: 'times',
      least: 65,
      value: times(pushDown, rivals.seedLoop.name, off),
    },
    {
      ...bar,
      what: 'push-down against BullMQ 6 at its best concurrency',
      unit: 'times',
      least: 12,
      value: times(pushDown, rivals.bullmq.name, off),
    },
    {
      ...bar,
      what: 'push-down against read and acknowledge with no effect, fsync every second',
      unit: 'times',
      least: 1.5,
      value: times(pushDown, rivals.floor.name, everysec),
    },
    {
      ...bar,
      what: 'push-down, server CPU per check-in, append-only file off',
      unit: 'µs',
      most: 3.5,
      value: figure(pushDown, off, 'serverMicros'),
    },
    {
      ...bar,
      what: 'push-down, server CPU per check-in, fsync every second',
      unit: 'µs',
      most: 4,
      value: figure(pushDown, everysec, 'serverMicros'),
    },
    ...(
      [
        ["the seed's loop", rivals.seedLoop.name, 45],
        ['BullMQ', rivals.bullmq.name, 8],
        ['the node-redis loop', rivals.batchLoop.name, 2],
      ] as const
    ).map(([peer, name, least]) => ({
      ...bar,
      what: `pull with a handler that does nothing against ${peer}`,
      unit: 'times',
      least,
      value: times(handler, name, off),
    })),
    {
      ...bar,
      what: 'a million users, a hundred thousand locations: the best of ours',
      unit: 'check-ins/s',
      least: 90_000,
      value: (find) => figure(bestOurs(find, many), many, 'rate')(find),
    },
    {
      ...bar,
      what: 'the same against BullMQ',
      unit: 'times',
      least: 5,
      value: (find) => times(bestOurs(find, many), rivals.bullmq.name, many)(find),
    },
  ]
}

/** Push-down where it takes part, else pull. */
function bestOurs({ row }: Find, group: string): string {
  return row(pushDown, group) === undefined ? pull : pushDown
}

/** Judges the bars of the results that are there. */
export function verdicts(results: readonly Result[]): Verdict[] {
  return bars.flatMap(({ benchmark, what, unit, least, most, value }) => {
    const rows = results.find((result) => result.benchmark === benchmark)?.rows ?? []
    const row: Find['row'] = (rival, group) =>
      rows.find((one) => one.rival === rival && one.group === group)
    const measured = value({ row })
    if (measured === undefined || Number.isNaN(measured)) return []
    return [
      {
        benchmark,
        what,
        wanted: `${least === undefined ? 'at most' : 'at least'} ${short(least ?? most ?? 0)} ${unit}`,
        measured: `${short(measured)} ${unit}`,
        isReached: measured >= (least ?? -Infinity) && measured <= (most ?? Infinity),
      },
    ]
  })
}
