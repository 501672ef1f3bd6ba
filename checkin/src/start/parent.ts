/** The two ends of the line between `npm start` and the commands that it runs: what they tell it, and that they end with it. */
import type { Socket } from 'node:net'

/** Tells a command that its standard input is a pipe that `npm start` holds open for as long as it lives. */
export const childVariable = 'MILLRACE_CHILD'

/** What a command tells the `npm start` that runs it. */
export type ChildMessage =
  | { readonly kind: 'listening'; readonly url: string }
  /** Check-ins processed since the command began. */
  | { readonly kind: 'processed'; readonly count: number }

const patienceMs = 10_000

/**
 * Ends this process in order when the `npm start` that started it is gone, even by kill -9. Does nothing in a process
 * that somebody started by hand.
 */
export function endWithParent(): void {
  if (!isChild()) return
  process.stdin.on('end', end).on('error', end).resume()
  // A child pipe is a socket; it must not keep a command alive that is done.
  ;(process.stdin as unknown as Socket).unref()
}

/** Does nothing in a process that somebody started by hand. */
export function tellParent(message: ChildMessage): void {
  // That it is gone shows at the pipe.
  if (isChild()) process.send?.(message, undefined, undefined, () => undefined)
}

const isChild = (): boolean => process.env[childVariable] === '1'

function end(): void {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), patienceMs).unref()
}
