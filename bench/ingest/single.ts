/** Check-ins over HTTP, one a request. */
import type { Measured } from '../measure/rounds.ts'
import { takenOf, whileReceiving } from './receiving.ts'

/**
 * `rate`: check-ins per second, each connection sending the next one after its answer; CPU of receiver and server in microseconds per
 * check-in; latencies (ms) at half of that rate, sent at even intervals whether or not the answers come.
 */
export type SingleFigures = 'rate' | 'receiverMicros' | 'serverMicros' | 'p50' | 'p99'

export interface SingleOptions {
  readonly receiver: string
  readonly connections: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** @throws {Error} when anything but a 202 was answered, or one of these is not in the stream. */
export async function measureSingle(options: SingleOptions): Promise<Measured<SingleFigures>> {
  const { receiver, connections, seconds, warmUpSeconds } = options
  return whileReceiving(receiver, async ({ post, watch }) => {
    const warm = takenOf(await post({ connections, seconds: warmUpSeconds }))
    const end = await watch()
    const full = await post({ connections, seconds })
    const { receiverMicros, serverMicros, disturbance } = await end(full.cpuMicros)
    const taken = takenOf(full)
    const rate = taken / full.seconds
    const half = await post({ connections, seconds, rate: rate / 2 })
    if (half.unsent > 0) throw new Error(`${half.unsent} requests could not be sent at half load`)
    const figures = {
      rate,
      receiverMicros: receiverMicros / taken,
      serverMicros: serverMicros / taken,
      p50: half.p50Ms,
      p99: half.p99Ms,
    }
    const all = warm + taken + takenOf(half)
    return { result: { ...disturbance, figures }, taken: all, isCutOff: true }
  })
}
