import { listenForStop } from 'millrace-ops/stop'

/**
 * The end of what holds a terminal and other processes: also when the terminal is closed, or nobody reads the output any more. A
 * later wish is answered with "already stopping", as the orderly end is under way and bounded in time.
 */
export function stopOfForeground(say: (text: string) => void): AbortSignal {
  const { wish, ask } = listenForStop({
    signals: ['SIGINT', 'SIGTERM', 'SIGHUP'],
    onAgain: () => say('Already stopping; this takes some seconds at most.'),
  })
  for (const output of [process.stdout, process.stderr]) {
    // Nobody is left to tell, but there is still much to end in order.
    output.on('error', () => ask('SIGHUP'))
  }
  return wish
}
