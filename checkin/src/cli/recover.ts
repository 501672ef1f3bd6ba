import { Command } from 'commander'
import { MillraceError, type Group, type RecoveryPlan } from 'millrace'
import { CommandError } from '../errors.ts'
import { howToExecute, isNothingToDo, outcomeText, planText } from '../recovery/report.ts'
import type { Wiring } from '../wiring.ts'
import { sayPlace } from './place.ts'
import { typed } from '../terminal/typed.ts'

interface Flags {
  readonly execute: boolean
  readonly json: boolean
}

/** `npm run recover`: says what the recovery of a lost group would do; with `--execute` does it. */
export function command(wiring: Wiring): Command {
  return new Command()
    .description('Compares the group with its ledger, and recovers it after it was lost or moved.')
    .option('--execute', 'do it; without this it only says what it would do', false)
    .option('--json', 'print it as JSON', false)
    .action((flags: Flags) => run(wiring, flags))
}

async function run(wiring: Wiring, { execute, json }: Flags): Promise<void> {
  const millrace = await wiring.connect()
  if (execute) sayPlace(millrace, wiring)
  const show = (text: string): void => void process.stdout.write(`${text}\n`)
  try {
    const group = millrace.group(wiring.model.checkins, wiring.config.group)
    const place = { stream: group.stream.key, group: group.name }
    const plan = await group.recovery()
    if (plan.condition === 'no-ledger') await checkExists(group, plan)
    const isDoing = execute && !isNothingToDo(plan)
    if (!json) show(planText(place, plan))
    if (!isDoing) {
      if (json) show(JSON.stringify({ ...place, executed: false, ...plan }))
      else if (!isNothingToDo(plan)) show(howToExecute)
      return
    }
    const outcome = await group.recover()
    if (json) show(JSON.stringify({ ...place, executed: true, ...plan, ...outcome }))
    else show(outcomeText(place, outcome))
  } finally {
    await millrace.close()
  }
}

/** @throws {CommandError} when neither group nor ledger is there. */
async function checkExists(group: Group, plan: RecoveryPlan): Promise<void> {
  try {
    await group.describe()
  } catch (error) {
    const isMissing =
      error instanceof MillraceError && (error.code === 'NO_GROUP' || error.code === 'NO_STREAM')
    if (!isMissing || plan.condition !== 'no-ledger') throw error
    throw new CommandError(
      `Cannot recover group "${group.name}" of stream "${group.stream.key}": there is neither the group nor a ledger of it, ` +
        'so nothing is known of what was processed. If users and locations are gone, too (FLUSHALL), or it is new: ' +
        `begin anew with "${typed('groups create')}". If they are still there, restore a backup of all keys`,
      { cause: error },
    )
  }
}
