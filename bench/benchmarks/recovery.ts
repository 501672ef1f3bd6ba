import { measureRecovery } from '../measure/recovery.ts'
import type { Case } from '../measure/rounds.ts'
import { decimals, withRange, whole } from '../report/format.ts'
import { rivals, withProcesses } from '../rivals/all.ts'
import type { Rival } from '../rivals/rival.ts'
import type { Benchmark, Scale } from './benchmark.ts'

interface Size {
  readonly entries: number
  readonly leaseMs: number
  readonly patienceSeconds: number
}

const sizes: Readonly<Record<Scale, Size>> = {
  full: { entries: 60_000, leaseMs: 5000, patienceSeconds: 20 },
  short: { entries: 60_000, leaseMs: 5000, patienceSeconds: 10 },
  tiny: { entries: 3000, leaseMs: 300, patienceSeconds: 5 },
}

const consumers = 4
const slow = { waitMs: 5, concurrency: 100 }

/** The only group, which the bars look for. */
export const recoveryGroup = `kill -9 of one of ${consumers} consumers`

/** How long the entries of a killed consumer wait. */
export const recovery: Benchmark = {
  name: 'recovery',
  title: 'Recovery: one of four consumers is killed',
  cases: ({ scale }) => {
    const { bullmq, seedLoop, batchLoop, pushDown, handler } = rivals
    const { leaseMs, entries, patienceSeconds } = sizes[scale]
    const withHandler = (rival: Rival): Rival => ({
      ...withProcesses(rival, consumers),
      setup: { ...rival.setup, ...slow, leaseMs },
    })
    const taking: Rival[] = [
      { ...withHandler(seedLoop), share: 0.05 },
      ...(scale === 'short' ? [] : [withHandler(batchLoop)]),
      {
        ...withHandler(bullmq),
        share: 0.2,
        label: 'BullMQ 6 (ioredis, concurrency 100, lock 5 s)',
      },
      { ...withHandler(handler), label: 'Millrace, pull, lease 5 s' },
      {
        ...withProcesses(pushDown, consumers),
        share: 5,
        label: 'Millrace, push-down (no handler)',
      },
    ]
    const cases = taking.map((rival): Case => {
      const { name, label, isOurs } = rival
      const count = Math.ceil(entries * rival.share)
      return {
        ...{ rival: name, label, isOurs },
        group: recoveryGroup,
        facts: { count, patienceSeconds },
        measure: () => measureRecovery({ rival, entries: count, patienceSeconds }),
      }
    })
    return Promise.resolve(cases)
  },
  headline: ({ seconds = NaN, taken, missing = NaN, twice = NaN }) =>
    `${seconds.toFixed(1)} s, ${taken ?? '?'} taken, ${missing} missing, ${twice} twice`,
  columns: [
    { head: 'rival', align: 'left', cell: ({ label }) => label },
    { head: 'check-ins', cell: ({ facts }) => whole(Number(facts.count)) },
    { head: 'held by the dead one', cell: ({ figures }) => withRange(figures.taken, whole) },
    {
      head: 'all applied after s',
      cell: ({ figures, facts }) =>
        figures.missing?.median === 0
          ? withRange(figures.seconds, decimals(1))
          : `not within ${facts.patienceSeconds}`,
    },
    { head: 'missing', cell: ({ figures }) => withRange(figures.missing, whole) },
    { head: 'applied twice', cell: ({ figures }) => withRange(figures.twice, whole) },
  ],
  notes: [
    'The first of four consumers, whose handlers wait 5 ms, 100 at a time, is killed by SIGKILL when a tenth of the check-ins is applied; the others go on. The clock runs from the kill until everything is applied and acknowledged. Then the counts in the hashes tell what is missing and what was applied more than once.',
    "The seed's loop and the node-redis loop as such claim nothing: what the dead one held stays pending.",
    'A push-down consumer holds nothing: its entries are read and applied in one script. It runs without a handler and takes as many check-ins more.',
  ],
}
