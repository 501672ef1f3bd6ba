import { batchLoop } from './batch-loop.ts'
import { bullmq } from './bullmq.ts'
import { millrace } from './millrace.ts'
import { readAndAcknowledge } from './read-and-acknowledge.ts'
import type { Rival } from './rival.ts'
import { seedLoops } from './seed-loop.ts'

/** Everyone who takes part, in the order of the tables. */
export const rivals: readonly Rival[] = [
  ...seedLoops,
  batchLoop,
  bullmq,
  readAndAcknowledge,
  ...millrace,
]

/** All ratios are to this one. */
export const baselineName = 'seed-loop-1'
