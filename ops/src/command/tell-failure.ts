/**
 * Tells why a command failed: a sentence on stderr; with `--json` also `{"error": {...}}` on stdout, so that a program
 * always reads JSON there.
 */
import { CommanderError } from 'commander'
import { MillraceError } from 'millrace'
import { escapedControls } from '../terminal/words.ts'
import { CommandError, PartlyDoneError, UsageError } from './errors.ts'

/** @param args as they were typed @returns the exit code: 1 failed, 2 wrong usage; 0 where it is help or a version. */
export function tellFailure(error: unknown, args: readonly string[]): number {
  if (error instanceof CommanderError) {
    // Commander has printed its own message, and help and version are no failure.
    if (error.exitCode === 0) return 0
    tellProgram({ code: 'USAGE', message: error.message.replace(/^error: /, '') }, args)
    return 2
  }
  const isExpected = isOurs(error)
  const message = error instanceof Error ? error.message : String(error)
  const text = isExpected || !(error instanceof Error) ? message : (error.stack ?? message)
  process.stderr.write(`error: ${shown(text)}\n`)
  // Its result is there already.
  if (!(error instanceof PartlyDoneError)) tellProgram(toldOf(error, message), args)
  return error instanceof UsageError ? 2 : 1
}

/** Lines of a message may hold names that others chose: what a terminal might act on becomes its code points. */
const shown = (text: string): string => text.split('\n').map(escapedControls).join('\n')

/** Whether it was foreseen: its message is for the user, without a stack trace. */
export const isOurs = (error: unknown): error is Error =>
  [CommandError, MillraceError, UsageError].some((kind) => error instanceof kind)

/** What a program is told of a failure. */
interface Told {
  /** Of the engine's failures their own; else `USAGE`, `FAILED`, or `INTERNAL` for what nobody foresaw. */
  readonly code: string
  readonly message: string
  /** The parts of the message, where they are known. */
  readonly action?: string | undefined
  readonly state?: string | undefined
  readonly remedy?: string | undefined
}

function toldOf(error: unknown, message: string): Told {
  if (error instanceof MillraceError) {
    const { code, action, state, remedy } = error
    return { code, message, action, state, remedy }
  }
  if (error instanceof UsageError) return { code: 'USAGE', message }
  return { code: error instanceof CommandError ? 'FAILED' : 'INTERNAL', message }
}

function tellProgram(error: Told, args: readonly string[]): void {
  // Behind "--" nothing is a flag.
  const [end, at] = [args.indexOf('--'), args.indexOf('--json')]
  if (at >= 0 && (end < 0 || at < end)) process.stdout.write(`${JSON.stringify({ error })}\n`)
}
