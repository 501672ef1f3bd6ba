/** Which streams, groups and consumers are told of: so many at most, the same ones each time, and each under labels of its own. */
import type {
  ConsumerSnapshot,
  GroupSnapshot,
  Snapshot,
  StreamSnapshot,
} from '../snapshot/index.ts'
import type { Labels } from './series.ts'

export interface Bounds {
  readonly streamsMax: number
  /** Of all streams together, as is `consumersMax` of all groups. */
  readonly groupsMax: number
  /** 0: none, as for a process whose consumers come and go each is a series more. */
  readonly consumersMax: number
}

type Labelled<Of> = readonly (readonly [Of, Labels])[]

export interface Chosen {
  readonly snapshot: Snapshot
  readonly streams: Labelled<StreamSnapshot>
  readonly groups: Labelled<GroupSnapshot>
  readonly consumers: Labelled<ConsumerSnapshot>
  readonly leftOut: Readonly<Record<'streams' | 'groups' | 'consumers', number>>
}

const known = new WeakMap<Snapshot, { readonly bounds: Bounds; readonly chosen: Chosen }>()

/** Chosen once for each snapshot, though there are many metrics. */
export function chosen(snapshot: Snapshot, bounds: Bounds): Chosen {
  const before = known.get(snapshot)
  if (before?.bounds === bounds) return before.chosen
  const now = choose(snapshot, bounds)
  known.set(snapshot, { bounds, chosen: now })
  return now
}

function choose(snapshot: Snapshot, { streamsMax, groupsMax, consumersMax }: Bounds): Chosen {
  const all = snapshot.streams.map((one) => [one, { stream: one.key }] as const)
  const streams = first(all, streamsMax)
  const groupsOf = (from: Labelled<StreamSnapshot>): Labelled<GroupSnapshot> =>
    from.flatMap(([{ groups }, labels]) =>
      groups.map((group) => [group, { ...labels, group: group.name }] as const),
    )
  const groups = first(groupsOf(streams), groupsMax)
  const consumersOf = (from: Labelled<GroupSnapshot>): Labelled<ConsumerSnapshot> =>
    from.flatMap(([{ consumers }, labels]) =>
      consumers.map((one) => [one, { ...labels, consumer: one.name }] as const),
    )
  const consumers = first(consumersOf(groups), consumersMax)
  const isAsked = consumersMax > 0
  return {
    ...{ snapshot, streams, groups, consumers },
    leftOut: {
      streams: all.length - streams.length,
      groups: groupsOf(all).length - groups.length,
      consumers: isAsked ? consumersOf(groupsOf(all)).length - consumers.length : 0,
    },
  }
}

/** Without those whose labels another one has, which Prometheus would refuse as a whole: keys that are no UTF-8 may look alike. */
function first<Of>(all: Labelled<Of>, most: number): Labelled<Of> {
  const seen = new Set<string>()
  const distinct = all.filter(([, labels]) => {
    const text = JSON.stringify(labels)
    if (seen.has(text)) return false
    seen.add(text)
    return true
  })
  return distinct.slice(0, most)
}
