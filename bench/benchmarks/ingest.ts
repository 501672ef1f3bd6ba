import { measureNdjson } from '../ingest/ndjson.ts'
import { measureOverload } from '../ingest/overload.ts'
import { ingestRivals } from '../ingest/rivals.ts'
import { measureSingle } from '../ingest/single.ts'
import type { Case, CaseFacts, Row } from '../measure/rounds.ts'
import type { Chart } from '../report/chart.ts'
import { decimals, median, short, whole, withRange } from '../report/format.ts'
import type { Benchmark, Column, Result, Scale } from './benchmark.ts'
import { rateBars } from './charts.ts'

interface Size {
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Connections over which check-ins come; the first number is that of the comparison. */
  readonly connections: readonly [number, ...number[]]
  /** Of the stream of lines. */
  readonly lines: number
}

const sizes: Readonly<Record<Scale, Size>> = {
  full: { seconds: 5, warmUpSeconds: 1, connections: [64, 1000], lines: 5_000_000 },
  short: { seconds: 2, warmUpSeconds: 1, connections: [64], lines: 1_000_000 },
  tiny: { seconds: 0.2, warmUpSeconds: 0.1, connections: [4], lines: 2000 },
}

const factors = [2, 5]

/** Names of the groups, which the bars look for. */
export const ingestGroups = {
  single: 'one check-in a request',
  overload: 'more than one receiver can take',
  lines: 'check-ins as lines of one request',
} as const

/** Check-ins over HTTP. */
export const ingest: Benchmark = {
  name: 'ingest',
  title: 'Ingest: check-ins over HTTP',
  cases: ({ scale }) => Promise.resolve(casesOf(sizes[scale])),
  headline: ({ rate = NaN, share, p99, receiverMicros = NaN }) =>
    [
      `${whole(rate)}/s`,
      ...(share === undefined ? [] : [`${whole(100 * share)} % of the peak`]),
      `${receiverMicros.toFixed(1)} µs CPU each`,
      ...(p99 === undefined ? [] : [`p99 ${short(p99)} ms`]),
    ].join(', '),
  columns: [
    { head: 'receiver', align: 'left', cell: ({ label }) => label },
    {
      head: 'taken/s',
      cell: ({ figures, noisyRounds }) =>
        withRange(figures.rate, whole) + (noisyRounds > 0 ? ` *${noisyRounds}` : ''),
    },
    rate('peak/s', 'peak'),
    rate('due/s', 'due'),
    rate('sent/s', 'sent'),
    rate('refused/s', 'refused'),
    {
      head: '% of the peak',
      cell: ({ figures }) => withRange(percentOf(figures.share), whole),
    },
    {
      head: 'receiver µs',
      cell: ({ figures }) => median(figures.receiverMicros, decimals(1)),
    },
    { head: 'server µs', cell: ({ figures }) => median(figures.serverMicros, decimals(1)) },
    { head: 'p50 ms', cell: ({ figures }) => median(figures.p50, short) },
    { head: 'p99 ms', cell: ({ figures }) => withRange(figures.p99, short) },
    { head: 'MB after a fifth', cell: ({ figures }) => median(figures.rssFifth, megabytes) },
    { head: 'MB at most', cell: ({ figures }) => median(figures.rss, megabytes) },
  ],
  compared: 'rate',
  notes: [
    'One process posts, one receives, one is redis-server (append-only file off), on the cores of this machine. Each connection has one request under way, and sends the next one after its answer. Every 202 was an entry of the stream afterwards.',
    'p50 and p99 of the comparison are at half of the rate of the same receiver: posted at even intervals whether or not answers come, and timed from when each was due; without the first half second, in which the posting process, which is new, is late by itself.',
    'Overload: 2 and 5 times the peak is due, evenly; the peak is that of the same receiver over as many connections just before. What no connection is free for waits with the client (at most 10,000, then it is never sent). p99 counts from when a request was due, so it tells how long the client waited to be able to send.',
  ],
  charts,
}

function casesOf({ seconds, warmUpSeconds, connections, lines }: Size): Case[] {
  const times = { seconds, warmUpSeconds }
  const [usual] = connections
  const { ours } = ingestRivals
  const single = Object.values(ingestRivals).map((rival): Case => {
    const facts = { connections: usual }
    const measure = () => measureSingle({ receiver: rival.name, connections: usual, ...times })
    return { ...about(rival, ingestGroups.single, facts), measure }
  })
  const overload = connections.flatMap((number) =>
    factors.map((factor): Case => {
      const label = `${ours.label}, ${factor} times the peak, ${whole(number)} connections`
      const facts = { connections: number, factor }
      const measure = () => measureOverload({ factor, connections: number, ...times })
      return { ...about({ ...ours, label }, ingestGroups.overload, facts), measure }
    }),
  )
  const label = `${ours.label}, ${whole(lines)} lines`
  const stream: Case = {
    ...about({ ...ours, label }, ingestGroups.lines, { lines }),
    measure: () => measureNdjson(lines),
  }
  return [...single, ...overload, stream]
}

function about(
  { name, label, isOurs }: { name: string; label: string; isOurs: boolean },
  group: string,
  facts: CaseFacts['facts'],
): CaseFacts {
  return { rival: name, label, isOurs, group, facts }
}

function rate(head: string, figure: string): Column {
  return { head, cell: ({ figures }) => median(figures[figure], whole) }
}

function percentOf(share: Row['figures'][string] | undefined) {
  if (share === undefined) return undefined
  return { median: 100 * share.median, min: 100 * share.min, max: 100 * share.max }
}

const megabytes = (bytes: number): string => whole(bytes / 1e6)

function charts({ rows }: Result): Chart[] {
  return [
    {
      kind: 'bars',
      name: 'ingest',
      title: 'Check-ins per second over HTTP, one a request',
      subtitle: 'one receiver process, 64 connections; median and range',
      bars: rateBars(rows.filter(({ group }) => group === ingestGroups.single)),
    },
  ]
}
