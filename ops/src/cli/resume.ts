import type { Command } from 'commander'
import type { Service } from '../service.ts'
import { pauseCommand } from './pause.ts'

/** `resume [NAME]`: the group, or one consumer. */
export function command(service: Service): Command {
  return pauseCommand(service, 'resume')
}
