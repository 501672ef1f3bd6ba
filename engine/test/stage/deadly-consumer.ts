/**
 * A consumer whose handler kills its process at one entry, as a process of its own: `URL PREFIX NAME ID DEATHS_MAX`. It exits with 7 then,
 * and stops on SIGTERM.
 */
import { connect } from 'millrace'
import { visitModel } from './fixture.ts'

const [url = '', prefix = '', name = '', deadly = '', deathsMax = ''] = process.argv.slice(2)
const { visits, guests, rooms } = visitModel(prefix)
const millrace = await connect({ url })
const consumer = millrace.group(visits, 'desk').consumer(name, {
  projections: [guests, rooms],
  claimAfterMs: 1000,
  concurrency: 10,
  deathsMax: Number(deathsMax),
  handler: ({ id }) => {
    if (id === deadly) process.exit(7)
  },
})
process.on('SIGTERM', () => void consumer.stop())
await consumer.run()
await millrace.close()
