/** What the benchmarks shall reach, as data: each bar is judged by the medians of one result. */
import { applyGroups } from './benchmarks/apply.ts'
import { growthGroups } from './benchmarks/growth.ts'
import { handlerGroups } from './benchmarks/handler.ts'
import { idleGroup } from './benchmarks/idle.ts'
import { latencyGroup } from './benchmarks/latency.ts'
import { recoveryGroup } from './benchmarks/recovery.ts'
import { ingestBars } from './ingest/bars.ts'
import { ratioOf, type Row } from './measure/rounds.ts'
import { whole } from './report/format.ts'
import { rivals, withProcesses } from './rivals/all.ts'

export interface Bar {
  readonly benchmark: string
  readonly what: string
  readonly unit: string
  /** The median has to be at least, or at most, this. */
  readonly least?: number
  readonly most?: number
  /** Undefined: not measured in this run. */
  readonly value: (find: Find) => number | undefined
  /** For a bar that was missed: what the same run says about whether it can be reached. */
  readonly limit?: (find: Find) => string | undefined
}

/** Finds the rows of a rival under some conditions. */
export interface Find {
  readonly row: (rival: string, group: string) => Row | undefined
  readonly all: (rival: string, group: string) => readonly Row[]
}

const [pushDown, pull, handler] = [rivals.pushDown.name, rivals.pull.name, rivals.handler.name]
const [seedLoop, batchLoop, bullmq] = [
  rivals.seedLoop.name,
  rivals.batchLoop.name,
  rivals.bullmq.name,
]
const [floor, plainFloor] = [rivals.floor.name, rivals.plainFloor.name]
const { off, everysec, many } = applyGroups

const applyBars: readonly Bar[] = [
  against(pushDown, seedLoop, off, { what: "push-down against the seed's loop", least: 65 }),
  against(pushDown, bullmq, off, { what: 'push-down against BullMQ at its best', least: 12 }),
  against(pushDown, plainFloor, everysec, {
    what: 'push-down against read and acknowledge, no effect, fsync every second',
    least: 1.5,
  }),
  against(pushDown, floor, everysec, {
    what: 'push-down against the same, reading ahead',
    least: 1.5,
  }),
  {
    benchmark: 'apply',
    what: 'push-down, server CPU per check-in, append-only file off',
    unit: 'µs',
    most: 3.5,
    value: figure(pushDown, off, 'serverMicros'),
    limit: withLongCalls(off),
  },
  {
    benchmark: 'apply',
    what: 'push-down, server CPU per check-in, fsync every second',
    unit: 'µs',
    most: 4,
    value: figure(pushDown, everysec, 'serverMicros'),
    limit: withLongCalls(everysec),
  },
  against(handler, seedLoop, off, {
    what: "pull, no-op handler, against the seed's loop",
    least: 45,
  }),
  against(handler, bullmq, off, { what: 'pull, no-op handler, against BullMQ', least: 8 }),
  against(handler, batchLoop, off, {
    what: 'pull, no-op handler, against the node-redis loop',
    least: 2,
  }),
  {
    benchmark: 'apply',
    what: 'a million users, a hundred thousand locations',
    unit: 'check-ins/s',
    least: 90_000,
    value: (find) => figure(bestOurs(find, many), many, 'rate')(find),
  },
  {
    benchmark: 'apply',
    what: 'the same against BullMQ',
    unit: 'times',
    least: 5,
    value: (find) => times(bestOurs(find, many), bullmq, many)(find),
  },
]

const handlerBar: Bar = {
  benchmark: 'handler',
  what: 'a handler that waits 5 ms, 100 at a time: part of the ideal 20,000/s',
  unit: '%',
  least: 95,
  value: (find) => percentOf(20_000, figure(handler, handlerGroups.waits, 'rate')(find)),
  limit({ row }) {
    const alone = row(rivals.waitsAlone.name, handlerGroups.waits)
    const part = ratioOf(row(handler, handlerGroups.waits), alone, 'rate')
    if (alone?.figures.rate === undefined || part === undefined) return undefined
    const { median } = alone.figures.rate
    return `the waits alone, without Redis, reach ${whole(median)}/s in the same run; of that it is ${whole(100 * part.median)} %`
  },
}

const latencyBars = (
  [
    ['p50', 1],
    ['p99', 5],
  ] as const
).map(([name, most]): Bar => {
  const group = latencyGroup(5000)
  return {
    benchmark: 'latency',
    what: `from the intended send time to the hash at 5,000/s, ${name}`,
    unit: 'ms',
    most,
    value: (find) => figure(bestOurs(find, group), group, name)(find),
  }
})

const idleBars: readonly Bar[] = [
  {
    benchmark: 'idle',
    what: 'an idle consumer: part of a core',
    unit: '%',
    most: 0.5,
    value: (find) => percentOf(1, figure(bestOurs(find, idleGroup), idleGroup, 'nodeShare')(find)),
  },
  {
    benchmark: 'idle',
    what: 'an idle consumer: commands that it sends',
    unit: 'per second',
    most: 2,
    value: (find) => figure(bestOurs(find, idleGroup), idleGroup, 'commandsPerSecond')(find),
  },
]

const recoveryBar: Bar = {
  benchmark: 'recovery',
  what: 'kill -9 of one of four, lease 5 s: all that it held is applied after',
  unit: 's',
  most: 7,
  value({ row }) {
    const recovered = row(withProcesses(rivals.handler, 4).name, recoveryGroup)?.figures
    return recovered?.missing?.max === 0 ? recovered.seconds?.median : undefined
  },
}

const growthBar: Bar = {
  benchmark: 'growth',
  what: 'CPU per check-in, server and Node, at 5,000,000 entries against 10,000',
  unit: 'times',
  most: 1.1,
  value(find) {
    const rows = find.all(bestOurs(find, growthGroups.lengths), growthGroups.lengths)
    const costAt = (count: number): number => {
      const figures = rows.find(({ facts }) => facts.count === count)?.figures
      return (figures?.serverMicros?.median ?? NaN) + (figures?.nodeMicros?.median ?? NaN)
    }
    return costAt(5_000_000) / costAt(10_000)
  },
}

/** All bars, in the order of the benchmarks. */
export const bars: readonly Bar[] = [
  ...applyBars,
  handlerBar,
  ...latencyBars,
  ...idleBars,
  recoveryBar,
  growthBar,
  ...ingestBars,
]

/** A rate of ours against that of a peer. */
function against(
  ours: string,
  peer: string,
  group: string,
  { what, least }: { what: string; least: number },
): Bar {
  return {
    ...{ benchmark: 'apply', what, unit: 'times', least },
    value: times(ours, peer, group),
    limit(find) {
      const peerRate = figure(peer, group, 'rate')(find)
      if (peerRate === undefined) return undefined
      const reason =
        floorBelow(find, group, peerRate * least) ?? costOf(find, { ours, peer, group })
      return reason && `that would be ${whole(peerRate * least)}/s; ${reason}`
    },
  }
}

/** What is wanted cannot be had where it is more than the floor does. */
function floorBelow({ row }: Find, group: string, wanted: number): string | undefined {
  const rate = row(floor, group)?.figures.rate?.median
  if (rate === undefined || wanted < rate) return undefined
  return `reading and acknowledging alone, with no effect, reaches ${whole(rate)}/s in the same run`
}

const onceACall = 'a hash is read and written once a call, and a call of 2 ms takes few entries'

/** Longer calls show what the default of 2 ms costs; pull is bounded by the one thread of the server. */
function costOf(
  find: Find,
  { ours, peer, group }: { ours: string; peer: string; group: string },
): string | undefined {
  if (ours === pushDown) {
    const ratio = times(rivals.longCalls.name, peer, group)(find)
    return ratio === undefined
      ? undefined
      : `${onceACall}; with calls of 8 ms it is ${ratio.toFixed(1)} times in the same run`
  }
  const micros = figure(ours, group, 'serverMicros')(find)
  return micros === undefined
    ? undefined
    : `the server takes ${micros.toFixed(1)} µs for each, with one thread, which is ${whole(1e6 / micros)}/s at most, while the consumer waits for nothing`
}

/** What it costs when a call may take more entries: then each hash is read and written less often. */
function withLongCalls(group: string): NonNullable<Bar['limit']> {
  return (find) => {
    const micros = figure(rivals.longCalls.name, group, 'serverMicros')(find)
    if (micros === undefined) return undefined
    return `${onceACall}; with calls of 8 ms it is ${micros.toFixed(1)} µs in the same run`
  }
}

function times(ours: string, peer: string, group: string): Bar['value'] {
  return ({ row }) => ratioOf(row(ours, group), row(peer, group), 'rate')?.median
}

function figure(rival: string, group: string, name: string): Bar['value'] {
  return ({ row }) => row(rival, group)?.figures[name]?.median
}

function percentOf(all: number, part: number | undefined): number | undefined {
  return part === undefined ? undefined : (100 * part) / all
}

/** Push-down where it takes part, else pull. */
function bestOurs({ row }: Find, group: string): string {
  return row(pushDown, group) === undefined ? pull : pushDown
}
