/**
 * The other screen of the terminal. Promise: in every end the terminal is as it was before: at a key, a signal, a failure that nobody
 * foresaw, or when the process just ends.
 */

const enter = '\u001B[?1049h\u001B[H'
const leave = '\u001B[?25h\u001B[?1049l'

export interface OtherScreen {
  /** Goes back; a second time does nothing. */
  readonly leave: () => void
}

/** @param out the terminal, which it writes to at once */
export function enterOtherScreen(
  out: NodeJS.WriteStream & { fd: 1 } = process.stdout,
): OtherScreen {
  let isIn = true
  out.write(enter)
  const goBack = (): void => {
    if (!isIn) return
    isIn = false
    process.off('exit', goBack)
    process.off('uncaughtExceptionMonitor', goBack)
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    out.write(leave)
  }
  process.on('exit', goBack)
  // Before the failure is printed, or it would go with the other screen.
  process.on('uncaughtExceptionMonitor', goBack)
  return { leave: goBack }
}
