/** What the receiver shall reach. */
import { ingestGroups } from '../benchmarks/ingest.ts'
import { ratioOf } from '../measure/rounds.ts'
import { short } from '../report/format.ts'
import type { Bar, Find } from '../bars.ts'
import { ingestRivals } from './rivals.ts'

const benchmark = 'ingest'
const { single, overload, lines } = ingestGroups
const [ours, nodeHttp, express] = [
  ingestRivals.ours.name,
  ingestRivals.nodeHttp.name,
  ingestRivals.express.name,
]

export const ingestBars: readonly Bar[] = [
  {
    ...{ benchmark, what: 'one check-in a request, against bare node:http', unit: 'times' },
    least: 0.9,
    value: against(nodeHttp),
  },
  {
    ...{ benchmark, what: "one check-in a request, against Express, the seed's way" },
    ...{ unit: 'times', least: 4 },
    value: against(express),
  },
  {
    ...{ benchmark, what: 'one check-in a request, p99 at half load', unit: 'ms', most: 10 },
    value: ({ row }) => row(ours, single)?.figures.p99?.median,
    limit({ row }) {
      const p99 = row(nodeHttp, single)?.figures.p99?.median
      return p99 === undefined ? undefined : `bare node:http has ${short(p99)} ms in the same run`
    },
  },
  {
    ...{ benchmark, what: 'lines of one request', unit: 'check-ins/s', least: 150_000 },
    value: ({ row }) => row(ours, lines)?.figures.rate?.median,
  },
  {
    ...{ benchmark, what: 'memory at most, against that after a fifth of the lines' },
    ...{ unit: 'times', most: 1.5 },
    value({ row }) {
      const streamed = row(ours, lines)
      return ratioOf(streamed, streamed, 'rss', 'rssFifth')?.median
    },
  },
  ...[2, 5].map((factor): Bar => ({
    ...{ benchmark, what: `taken while ${factor} times the peak is due, of the peak` },
    ...{ unit: '%', least: 90 },
    value: shareAt(factor),
  })),
]

function against(peer: string): Bar['value'] {
  return ({ row }) => ratioOf(row(ours, single), row(peer, single), 'rate')?.median
}

/** Over the number of connections that has the lower share. */
function shareAt(factor: number): Bar['value'] {
  return ({ all }: Find) => {
    const shares = all(ours, overload).flatMap(({ facts, figures }) =>
      facts.factor === factor ? [100 * (figures.share?.median ?? NaN)] : [],
    )
    return shares.length === 0 ? undefined : Math.min(...shares)
  }
}
