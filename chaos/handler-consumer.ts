/**
 * A consumer with a handler that fails, as a process of its own: `URL NAME BATCH CLAIM_AFTER_MS [hang]`. It says "Starting up"
 * and stops on SIGTERM. A failing entry fails at every attempt, a stumbling one at the first; with `hang` none ever ends.
 */
import { connect, type Entry } from 'millrace'
import { checkinModel } from '../checkin/src/domain/checkins.ts'

const [url = '', name = '', batch = '', claimAfterMs = '', how = ''] = process.argv.slice(2)
const model = checkinModel('ncc')
type CheckinEntry = Entry<(typeof model)['checkins']['fields']>

const sortOf = ({ unknown }: CheckinEntry): string | undefined =>
  unknown?.find(([field]) => field === 'sort')?.[1]

const millrace = await connect({ url })
const consumer = millrace.group(model.checkins, 'checkinConsumers').consumer(name, {
  projections: [model.users, model.locations],
  batch: Number(batch),
  claimAfterMs: Number(claimAfterMs),
  concurrency: 50,
  attemptsMax: 3,
  handler: (entry, { attempt }) => {
    if (how === 'hang') return new Promise<undefined>(() => undefined)
    const sort = sortOf(entry)
    if (sort === 'failing' || (sort === 'stumbling' && attempt === 1)) {
      throw new Error(`The handler fails at attempt ${attempt}`)
    }
    return undefined
  },
  observer: {
    delivered: (entries, how) => {
      if (how === 'claimed') console.log(`Claimed ${entries.length} checkins`)
    },
    superseded: (ids) => console.log(`Superseded: ${ids.length} checkins`),
    retried: (id, attempt) => console.log(`Retried ${id} after attempt ${attempt}`),
  },
})
process.on('SIGTERM', () => void consumer.stop())
try {
  console.log('Starting up')
  await consumer.run()
} catch (error) {
  console.error(String(error))
  process.exitCode = 1
} finally {
  await millrace.close()
}
