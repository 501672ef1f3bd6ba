import type { Command } from 'commander'
import type { Wiring } from '../wiring.ts'
import { groupProcessor } from './checkingroupprocessor.ts'

/** `checkin group-processor NAME`: one consumer of the group, at full speed. */
export function command(wiring: Wiring): Command {
  return groupProcessor(wiring, 'none')
}
