/**
 * The end of a command that is still being started. Promise: SIGTERM and Ctrl-C end it in order while it is loaded and connects:
 * nothing is begun yet, so the exit code is 0, as later.
 */

const signals = ['SIGINT', 'SIGTERM'] as const

/** Commands that work until they are stopped. Any other is broken off by a signal, and must not say that it is done. */
const endless = new Set([
  'start',
  'redis',
  'receiver',
  'checkinreceiver',
  'processor',
  'checkinprocessor',
  'group-processor',
  'checkingroupprocessor',
  'generator',
  'checkingenerator',
])

/** To be called before the command is loaded. @param command the name of the command that is being started. */
export function endEarly(command: string | undefined): void {
  if (command === undefined || !endless.has(command)) return
  for (const signal of signals) process.on(signal, end)
}

/** From now on somebody else answers the signals. */
export function endInOrder(): void {
  for (const signal of signals) process.off(signal, end)
}

function end(): void {
  process.exit(0)
}
