/** What the benchmarks shall reach, as data: each bar is judged by the medians of one result. */
import { applyGroups } from './benchmarks/apply.ts'
import type { Result } from './benchmarks/benchmark.ts'
import { growthGroups } from './benchmarks/growth.ts'
import { handlerGroups } from './benchmarks/handler.ts'
import { idleGroup } from './benchmarks/idle.ts'
import { latencyGroup } from './benchmarks/latency.ts'
import { recoveryGroup } from './benchmarks/recovery.ts'
import { ratioOf, type Row } from './measure/rounds.ts'
import { short } from './report/format.ts'
import { rivals, withProcesses } from './rivals/all.ts'

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
  readonly all: (rival: string, group: string) => readonly Row[]
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

const bars: readonly Bar[] = [
  ...applyBars(),
  ...handlerBars(),
  ...latencyBars(),
  ...idleBars(),
  ...lastBars(),
]

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

function handlerBars(): Bar[] {
  return [
    {
      benchmark: 'handler',
      what: 'a handler that waits 5 ms, 100 at a time: part of the ideal 20,000/s',
      unit: '%',
      least: 95,
      value: (find) => {
        const rate = figure(handler, handlerGroups.waits, 'rate')(find)
        return rate === undefined ? undefined : rate / 200
      },
    },
  ]
}

function latencyBars(): Bar[] {
  const group = latencyGroup(5000)
  return (
    [
      ['p50', 1],
      ['p99', 5],
    ] as const
  ).map(([name, most]) => ({
    benchmark: 'latency',
    what: `from the intended send time to the hash at 5,000/s, ${name}`,
    unit: 'ms',
    most,
    value: (find) => figure(bestOurs(find, group), group, name)(find),
  }))
}

function idleBars(): Bar[] {
  return [
    {
      benchmark: 'idle',
      what: 'an idle consumer: part of a core',
      unit: '%',
      most: 0.5,
      value: (find) => {
        const share = figure(bestOurs(find, idleGroup), idleGroup, 'nodeShare')(find)
        return share === undefined ? undefined : 100 * share
      },
    },
    {
      benchmark: 'idle',
      what: 'an idle consumer: commands that it sends',
      unit: 'per second',
      most: 2,
      value: (find) => figure(bestOurs(find, idleGroup), idleGroup, 'commandsPerSecond')(find),
    },
  ]
}

function lastBars(): Bar[] {
  return [
    {
      benchmark: 'recovery',
      what: 'kill -9 of one of four, lease 5 s: all it held is applied after',
      unit: 's',
      most: 7,
      value: ({ row }) => {
        const recovered = row(withProcesses(rivals.handler, 4).name, recoveryGroup)?.figures
        return recovered?.missing?.max === 0 ? recovered.seconds?.median : undefined
      },
    },
    {
      benchmark: 'growth',
      what: 'CPU per check-in at 5,000,000 entries against 10,000',
      unit: 'times',
      most: 1.1,
      value: growthOfCost,
    },
  ]
}

/** Server and Node together. */
function growthOfCost(find: Find): number | undefined {
  const ours = bestOurs(find, growthGroups.lengths)
  const rows = find.all(ours, growthGroups.lengths)
  const costAt = (count: number): number => {
    const figures = rows.find(({ facts }) => facts.count === count)?.figures
    return (figures?.serverMicros?.median ?? NaN) + (figures?.nodeMicros?.median ?? NaN)
  }
  return costAt(5_000_000) / costAt(10_000)
}

/** Push-down where it takes part, else pull. */
function bestOurs({ row }: Find, group: string): string {
  return row(pushDown, group) === undefined ? pull : pushDown
}

/** Judges the bars of the results that are there. */
export function verdicts(results: readonly Result[]): Verdict[] {
  return bars.flatMap(({ benchmark, what, unit, least, most, value }) => {
    const rows = results.find((result) => result.benchmark === benchmark)?.rows ?? []
    const all: Find['all'] = (rival, group) =>
      rows.filter((one) => one.rival === rival && one.group === group)
    const measured = value({ all, row: (rival, group) => all(rival, group)[0] })
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
