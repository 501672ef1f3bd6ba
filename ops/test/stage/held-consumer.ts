/** A consumer that holds an entry until it is killed: `held-consumer.ts URL`. */
import { connect, stream, text } from 'millrace'

const millrace = await connect({ url: process.argv[2] ?? '' })
const held = stream('held:stream', { item: text() })
const group = millrace.group(held, 'held')
await group.create()
await millrace.append(held, { item: 'one' })
const consumer = group.consumer('doomed', {
  claimAfterMs: 2000,
  handler: async () => {
    process.stdout.write('it holds one\n')
    await new Promise((resolve) => setTimeout(resolve, 600_000))
  },
})
await consumer.run()
