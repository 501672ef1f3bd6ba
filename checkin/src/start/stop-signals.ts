import { endInOrder } from '../early-end.ts'
import { StopRequested } from './unwind.ts'

/** Ctrl-C, an orderly end by a supervisor, a closed terminal. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

// npm passes the terminal's Ctrl-C on to us, who get it from the terminal, too: one key press, two signals.
const sameWishMs = 300

/**
 * Aborts at the first signal that asks for the end, or when nobody reads the output any more. Later ones are answered with "already stopping", as the orderly
 * end is under way and bounded in time.
 */
export function stopOnSignals(say: (text: string) => void): AbortSignal {
  const stop = new AbortController()
  let firstAt: number | undefined
  for (const signal of signals) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = performance.now()
        stop.abort(new StopRequested())
      } else if (performance.now() - firstAt > sameWishMs) {
        say('Already stopping; this takes some seconds at most.')
      }
    })
  }
  endInOrder()
  for (const output of [process.stdout, process.stderr]) {
    // The reader of a pipe, or the terminal, is gone: nobody is left to tell, but there is still much to end in order.
    output.on('error', () => stop.abort(new StopRequested()))
  }
  return stop.signal
}

/** Settles when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
