/** Many more check-ins are offered than one receiver can take. */
import type { Measured } from '../measure/rounds.ts'
import { takenOf, whileReceiving } from './receiving.ts'
import { ingestRivals } from './rivals.ts'

/**
 * Rates in requests per second: `peak` when each connection waits for its answer; then `due` and `sent`, `rate` taken and
 * `refused`. `share`: of the peak, taken. `p99` (ms) from when a request was due. `rss`: resident memory of the receiver (bytes).
 */
export type OverloadFigures =
  'peak' | 'due' | 'sent' | 'rate' | 'share' | 'refused' | 'receiverMicros' | 'p99' | 'rss'

export interface OverloadOptions {
  /** How many times the peak is offered. */
  readonly factor: number
  /** Over which peak and offer come; each has one request under way at most. */
  readonly connections: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

/** @throws {Error} when anything but 202, 429 and 503 was answered, or a 202 is not in the stream. */
export async function measureOverload(
  options: OverloadOptions,
): Promise<Measured<OverloadFigures>> {
  const { factor, connections, seconds, warmUpSeconds } = options
  return whileReceiving(ingestRivals.ours.name, async ({ post, watch, cost }) => {
    const warm = takenOf(await post({ connections, seconds: warmUpSeconds }))
    const full = await post({ connections, seconds })
    const peak = takenOf(full) / full.seconds
    const end = await watch()
    const burst = await post({ connections, seconds, rate: factor * peak })
    const { receiverMicros, disturbance } = await end(burst.cpuMicros)
    const taken = takenOf(burst, ['429', '503'])
    const refused = (burst.answers['429'] ?? 0) + (burst.answers['503'] ?? 0)
    const figures = {
      peak,
      due: (burst.sent + burst.unsent + burst.waiting) / burst.seconds,
      sent: burst.sent / burst.seconds,
      rate: taken / burst.seconds,
      share: taken / burst.seconds / peak,
      refused: refused / burst.seconds,
      receiverMicros: receiverMicros / taken,
      p99: burst.p99Ms,
      rss: (await cost()).rss,
    }
    const all = warm + takenOf(full) + taken
    return { result: { ...disturbance, figures }, taken: all, isCutOff: true }
  })
}
