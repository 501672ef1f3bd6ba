import { connect as connectEngine } from 'millrace'
import { checkinModel } from '../../checkin/src/domain/checkins.ts'
import { keys } from '../workload/checkins.ts'
import type { ConsumerOptions, Loop, Program } from './rival.ts'
import { streamBacklog } from './stream-backlog.ts'
import { handlerOf } from './waiting.ts'

/** Ours: the check-in service's own projections; without their rankings, unless these are asked for. */
export const millrace: Program = { name: 'millrace', backlog: streamBacklog, connect }

async function connect({ url, name, setup }: ConsumerOptions): Promise<Loop> {
  const { mode, waitMs, concurrency, leaseMs, budgetMs, hasRankings = false } = setup
  const model = checkinModel('ncc')
  const engine = await connectEngine({ url })
  const handle = waitMs === undefined ? undefined : handlerOf(waitMs)
  const consumer = engine.group(model.checkins, keys.group).consumer(name, {
    projections: hasRankings
      ? [model.users, model.locations]
      : [
          { ...model.users, rankings: {} },
          { ...model.locations, rankings: {} },
        ],
    ...(mode !== undefined && { mode }),
    ...(budgetMs !== undefined && { budgetMs }),
    ...(handle !== undefined && { handler: () => handle() }),
    ...(concurrency !== undefined && { concurrency }),
    // The engine's lease is three quarters of the time within which it claims.
    ...(leaseMs !== undefined && { claimAfterMs: Math.ceil(leaseMs / 0.75) }),
  })
  return async () => consumer.run()
}
