import { withRemedy as remedied } from 'millrace-ops'
import { typed } from '../terminal/typed.ts'
import { words } from './words.ts'

/** An error of the engine with our remedy, where we have one; any other as it is. */
export const withRemedy = (error: unknown): unknown => remedied(error, { words, typed })
