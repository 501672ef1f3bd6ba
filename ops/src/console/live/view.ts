/** Makes of a snapshot what the page is told each second. */
import type { ConsumerSnapshot, GroupSnapshot, Snapshot } from '../../snapshot/index.ts'
import { compareConditions } from '../condition.ts'
import type { Focus, Gone, GroupName, GroupView, View } from '../wire.ts'

/** @param focus the group whose consumers are told; undefined: those of the worst. */
export function viewOf(id: string, snapshot: Snapshot, focus: GroupName | undefined): View {
  const { atMs, server, looked, streams } = snapshot
  const groups = streams.flatMap((stream) => stream.groups.map(groupView)).sort(compareConditions)
  return {
    ...{ id, atMs, server, looked, groups },
    streams: streams.map((stream) => without(stream, 'groups')),
    focus: focusOf(snapshot, focus ?? groups[0]),
  }
}

function focusOf({ streams }: Snapshot, name: GroupName | undefined): Focus | null {
  if (name === undefined) return null
  const found = streams
    .find(({ key }) => key === name.stream)
    ?.groups.find((group) => group.name === name.group)
  if (found === undefined) return null
  return { stream: name.stream, group: name.group, consumers: found.consumers }
}

function groupView(group: GroupSnapshot): GroupView {
  const rest = without(group, 'name', 'consumers', 'consumerPauses')
  return { ...rest, group: group.name, gone: goneOf(group.consumers) }
}

function without<Whole extends object, Name extends keyof Whole>(
  whole: Whole,
  ...names: readonly Name[]
): Omit<Whole, Name> {
  const rest = { ...whole }
  for (const name of names) Reflect.deleteProperty(rest, name)
  return rest
}

function goneOf(consumers: readonly ConsumerSnapshot[]): Gone | null {
  const holding = consumers
    .filter(({ state, pending }) => state === 'expired' && pending > 0)
    .sort((a, b) => b.pending - a.pending)
  const [worst] = holding
  if (worst === undefined) return null
  const pending = holding.reduce((sum, consumer) => sum + consumer.pending, 0)
  return { consumers: holding.length, pending, worst }
}
