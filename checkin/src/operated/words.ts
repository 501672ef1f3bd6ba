import type { Words } from 'millrace-ops'
import { typed, typedProcessor } from '../terminal/typed.ts'

/** What this service calls things, and what helps it. */
export const words: Words = {
  entry: ['check-in', 'check-ins'],
  worker: ['processor', 'processors'],
  startWorker: typedProcessor(),
  results: 'users and locations',
  elsewhere: 'set KEY_PREFIX to one that nobody else uses',
  orSampleData: `, or "${typed('load')}" for sample data`,
  meanings: {
    'lag-grows': 'At --backlog-max the receiver refuses them.',
    memory: 'The receiver answers 503 from 90 % on.',
    'ids-ahead': 'So does lastCheckin.',
  },
  remedies: {
    'lag-grows': 'Those that pause between check-ins: with --work none.',
    'lag-stands': 'LOG_LEVEL=debug tells more.',
  },
}
