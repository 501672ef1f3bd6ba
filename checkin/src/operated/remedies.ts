import { withRemedy as remedied } from 'millrace-ops'
import { typed } from '../terminal/typed.ts'
import { words } from './words.ts'

/** An error of the engine with our remedy, where we have one; any other as it is. @param groupName the group of the service */
export const withRemedy = (error: unknown, groupName: string): unknown =>
  remedied(error, { words, typed: (line) => typed(line), groupName })
