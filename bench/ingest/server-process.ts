/** One of the receivers, in a process of its own: `server-process.ts RIVAL REDIS_URL`. */
import type { Cost, Listening } from './messages.ts'
import { ingestRivals } from './rivals.ts'

const [name, redisUrl = ''] = process.argv.slice(2)
const rival = Object.values(ingestRivals).find((known) => known.name === name)
if (rival === undefined) throw new RangeError(`Cannot serve: no rival "${String(name)}"`)

process.once('disconnect', () => process.exit(0))
const port = await rival.listen(redisUrl)
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMicros: user + system, rss: process.memoryUsage.rss() } satisfies Cost)
})
process.send?.({ port } satisfies Listening)
