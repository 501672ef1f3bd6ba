import type { Socket } from 'node:net'

/** Tells a command that its standard input is a pipe that `npm start` holds open for as long as it lives. */
export const childVariable = 'MILLRACE_CHILD'

const patienceMs = 10_000

/**
 * Ends this process in order when the `npm start` that started it is gone, even by kill -9. Does nothing in a process
 * that somebody started by hand.
 */
export function endWithParent(): void {
  if (process.env[childVariable] !== '1') return
  process.stdin.on('end', end).on('error', end).resume()
  // A child pipe is a socket; it must not keep a command alive that is done.
  ;(process.stdin as unknown as Socket).unref()
}

function end(): void {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), patienceMs).unref()
}
