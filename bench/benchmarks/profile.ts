import { profileDrain } from '../measure/profile.ts'
import type { Case } from '../measure/rounds.ts'
import { decimals, median } from '../report/format.ts'
import { rivals } from '../rivals/all.ts'
import { makeWorkload } from '../workload/checkins.ts'
import type { Benchmark, Column, Scale } from './benchmark.ts'

const counts: Readonly<Record<Scale, number>> = { full: 200_000, short: 100_000, tiny: 2000 }

/** Where the time of our own consumers goes, part by part. */
export const profile: Benchmark = {
  name: 'profile',
  title: 'Profile: where the time goes',
  cases: ({ scale }) => {
    const count = counts[scale]
    const cases = [rivals.pushDown, rivals.pull, rivals.handler].map((rival): Case => {
      const { name, label, isOurs } = rival
      return {
        ...{ rival: name, label, isOurs },
        group: 'microseconds per check-in, one consumer',
        facts: { count },
        measure: () => profileDrain(rival, makeWorkload({ count })),
      }
    })
    return Promise.resolve(cases)
  },
  headline: ({ around = NaN, scripts = NaN }) =>
    `${scripts.toFixed(2)} µs in Lua, ${around.toFixed(2)} µs around the commands`,
  columns: [
    { head: '', align: 'left', cell: ({ label }) => label },
    micros('reading', 'read'),
    micros('XPENDING', 'gate'),
    micros('HMGET', 'look'),
    micros('HSET, ZADD', 'write'),
    micros('XACK', 'acknowledge'),
    micros('other commands', 'others'),
    micros('Lua itself', 'scripts'),
    micros('around the commands', 'around'),
    micros('Node: client', 'node-client'),
    micros('decode', 'node-decode'),
    micros('combine', 'node-combine'),
    micros('arguments', 'node-arguments'),
    micros('the rest of the consumer', 'node-rest'),
    micros('Node itself', 'node-node'),
    micros('collecting garbage', 'node-gc'),
  ],
  notes: [
    'The server by command (INFO commandstats, also of those that scripts call: wall time, so a busy machine shows in it), what is left of the scripts themselves, and what of its CPU time is left for reading requests and writing replies. The consumer by the profiler of V8, which itself costs some: what a function of V8 or Node takes belongs to the file that called it, so writing to sockets is in the client and JSON in the arguments.',
  ],
}

function micros(head: string, figure: string): Column {
  return { head, cell: ({ figures }) => median(figures[figure], decimals(2)) }
}
