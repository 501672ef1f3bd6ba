/** Everyone who takes part. */
import { batchLoop } from './batch-loop.ts'
import { bullmq } from './bullmq.ts'
import { millrace } from './millrace.ts'
import { moleculer } from './moleculer.ts'
import { readAndAcknowledge } from './read-and-acknowledge.ts'
import type { Rival } from './rival.ts'
import { seedLoop } from './seed-loop.ts'
import { waitsAlone } from './waits-alone.ts'

const peer = { isOurs: false, processes: 1, promise: 'at least once', setup: {} } as const
const ours = {
  isOurs: true,
  program: millrace,
  processes: 1,
  share: 1,
  promise: 'exactly once',
} as const

/** The rivals with one consumer process each, as they run unless a benchmark says otherwise. */
export const rivals = {
  seedLoop: {
    ...peer,
    name: 'seed-loop',
    label: 'seed loop (ioredis, COUNT 1, script, XACK)',
    program: seedLoop,
    share: 0.1,
  },
  batchLoop: {
    ...peer,
    name: 'batch-loop',
    label: 'node-redis loop (COUNT 500, pipelined scripts, one XACK)',
    program: batchLoop,
    share: 0.5,
  },
  bullmq: {
    ...peer,
    name: 'bullmq',
    label: 'BullMQ 6 (ioredis, concurrency 100)',
    program: bullmq,
    setup: { concurrency: 100 },
    share: 0.25,
  },
  moleculer: {
    ...peer,
    name: 'moleculer',
    label: '@moleculer/channels (ioredis, 100 in flight)',
    program: moleculer,
    setup: { concurrency: 100 },
    share: 0.1,
  },
  floor: {
    ...peer,
    name: 'read-and-acknowledge',
    label: 'floor: read and acknowledge, no effect (node-redis, COUNT 500, reading ahead)',
    program: readAndAcknowledge,
    share: 1,
    promise: 'no effect',
  },
  plainFloor: {
    ...peer,
    name: 'read-and-acknowledge-plain',
    label: 'floor: the same, one batch after the other',
    program: readAndAcknowledge,
    setup: { concurrency: 1 },
    share: 1,
    promise: 'no effect',
  },
  waitsAlone: {
    ...peer,
    name: 'waits-alone',
    label: 'floor: the waits alone, no Redis',
    program: waitsAlone,
    share: 1,
    promise: 'no effect',
  },
  pushDown: {
    ...ours,
    name: 'millrace-push-down',
    label: 'Millrace, push-down',
    setup: { mode: 'push-down' },
  },
  pull: { ...ours, name: 'millrace-pull', label: 'Millrace, pull', setup: { mode: 'pull' } },
  handler: {
    ...ours,
    name: 'millrace-handler',
    label: 'Millrace, pull with a no-op handler',
    setup: { mode: 'pull', waitMs: 0, concurrency: 100 },
  },
  // Variants come last: the place of a rival decides its colour in charts of lines, and there are three.
  longCalls: {
    ...ours,
    name: 'millrace-push-down-8ms',
    label: 'Millrace, push-down, calls of 8 ms instead of 2',
    setup: { mode: 'push-down', budgetMs: 8 },
  },
  ranked: {
    ...ours,
    name: 'millrace-push-down-ranked',
    label: 'Millrace, push-down, and three rankings (leaderboards)',
    setup: { mode: 'push-down', hasRankings: true },
  },
} satisfies Record<string, Rival>

/** The same with several consumer processes, under a name of its own. */
export function withProcesses(rival: Rival, processes: number): Rival {
  return { ...rival, name: `${rival.name}-x${processes}`, processes }
}
