import { connect as connectEngine } from 'millrace'
import { checkinModel } from '../../src/domain/checkins.ts'
import { keys } from '../workload.ts'
import type { ConsumerOptions, Loop, Rival } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'

/** Ours: the check-in service's own projections, pulled in batches and applied through the gate. */
export const millrace: readonly Rival[] = [1, 2].map((processes) => ({
  name: `millrace-pull-${processes}`,
  label: 'Millrace, pull',
  processes,
  share: 1,
  promise: 'exactly once',
  backlog: streamBacklog,
  connect,
}))

async function connect({ url, name }: ConsumerOptions): Promise<Loop> {
  const model = checkinModel('ncc')
  const engine = await connectEngine({ url })
  const consumer = engine
    .group(model.checkins, keys.group)
    .consumer(name, { projections: [model.users, model.locations] })
  return async () => consumer.run()
}
