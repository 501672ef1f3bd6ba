/**
 * A consumer of check-ins with a handler, traced, as a process of its own: `REDIS_URL PREFIX NAME OTLP_URL WAY`. It says `handling ID` for each
 * attempt. WAY `hangs`: no attempt ends. WAY `stumbles`: the first attempt at each check-in fails; one of user 13 becomes a dead letter at its
 * second, and goes through after that.
 */
import { connect, type Outcome } from 'millrace'
import { checkinModel } from '../../src/domain/checkins.ts'
import { openTelemetry } from '../../src/telemetry/telemetry.ts'

const [url = '', prefix = '', name = '', otlp = '', way = ''] = process.argv.slice(2)
const telemetry = await openTelemetry({ url: otlp, service: name })
const millrace = await connect({ url, ...(telemetry && { tracing: telemetry.tracing }) })
const { checkins, users, locations } = checkinModel(prefix)
const calls = new Map<string, number>()
const consumer = millrace.group(checkins, 'checkinConsumers').consumer(name, {
  projections: [users, locations],
  claimAfterMs: 500,
  retry: () => ({ kind: 'retry', afterMs: 0 }),
  handler: async ({ id, values }): Promise<Outcome | undefined> => {
    const call = (calls.get(id) ?? 0) + 1
    calls.set(id, call)
    console.log(`handling ${id}`)
    if (way === 'hangs') await new Promise(() => undefined)
    if (call === 1) throw new RangeError('the first attempt fails')
    if (values.userId === 13 && call === 2) return { kind: 'dead-letter', reason: 'unlucky' }
    return undefined
  },
})
process.on('SIGTERM', () => void consumer.stop())
await consumer.run()
await millrace.close()
await telemetry?.close()
