/**
 * The one way to stop at a signal. Promise: the first wish to stop is an orderly end; until somebody listens for it, it ends a
 * command that has not begun anything yet with exit code 0. Imports nothing, so that signals are heard before anything else is loaded.
 */

/** Somebody asked for the end. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested'
  /** The signal that asked for it; SIGHUP also where nobody reads the output any more. */
  readonly by: NodeJS.Signals

  constructor(by: NodeJS.Signals) {
    super(`Stopped by ${by}`)
    this.by = by
  }
}

export interface StopOptions {
  /** Signals that ask for the end; default SIGINT and SIGTERM. */
  readonly signals?: readonly NodeJS.Signals[]
  /** Called at each later wish; default: ends the process at once, which is safe, too, only slower to recover from. */
  readonly onAgain?: () => void
}

export interface Stop {
  /** Aborted with a `StopRequested` at the first wish. */
  readonly wish: AbortSignal
  /** The same as a signal, for an end that has another cause. */
  readonly ask: (by: NodeJS.Signals) => void
  /** Listens no more. */
  readonly release: () => void
}

const usual: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']
// npm passes the terminal's Ctrl-C on to us, who get it from the terminal, too: one key press, two signals.
const sameWishMs = 300

/** Listens from now on, in the place of `endEarly`. */
export function listenForStop(options: StopOptions = {}): Stop {
  const { signals = usual, onAgain = () => process.exit(130) } = options
  const wish = new AbortController()
  let firstAt: number | undefined
  const ask = (by: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      wish.abort(new StopRequested(by))
    } else if (performance.now() - firstAt > sameWishMs) onAgain()
  }
  for (const signal of signals) process.on(signal, ask)
  for (const signal of usual) process.off(signal, endAtOnce)
  const release = (): void => {
    for (const signal of signals) process.off(signal, ask)
  }
  return { wish: wish.signal, ask, release }
}

/** Something that works until it is told to stop. */
export interface Work {
  run(): Promise<void>
  /** @param signal the one that asks for the end. */
  stop(signal: NodeJS.Signals): Promise<void>
}

/**
 * Runs until the work ends by itself or a signal stops it in order.
 * @param onFailure called with the error when it cannot be stopped in order
 */
export async function untilStopped(work: Work, onFailure: (error: unknown) => void): Promise<void> {
  const { wish, release } = listenForStop()
  onWish(wish, ({ by }) => void work.stop(by).catch(onFailure))
  try {
    await work.run()
  } finally {
    release()
  }
}

/** Runs work that a signal ends between two of its steps. @returns whether one has come. */
export async function untilInterrupted(
  work: (wish: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const { wish, release } = listenForStop()
  try {
    await work(wish)
    return wish.aborted
  } finally {
    release()
  }
}

/** Settles when the end is asked for. */
export function stopRequested(wish: AbortSignal): Promise<void> {
  return new Promise((resolve) => onWish(wish, () => resolve()))
}

function onWish(wish: AbortSignal, act: (request: StopRequested) => void): void {
  const tell = (): void => act(wish.reason as StopRequested)
  if (wish.aborted) tell()
  else wish.addEventListener('abort', tell, { once: true })
}

/**
 * Lets SIGTERM and Ctrl-C end this process with exit code 0 while a command that works until it is stopped is loaded and connects.
 * Any other command is broken off by a signal, and must not say that it is done: it calls this not.
 */
export function endEarly(): void {
  for (const signal of usual) process.on(signal, endAtOnce)
}

function endAtOnce(): void {
  process.exit(0)
}
