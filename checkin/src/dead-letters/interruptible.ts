/** Runs work that Ctrl-C or SIGTERM ends between two steps. @returns whether one of them has come. */
export async function untilInterrupted(
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const stop = new AbortController()
  const abort = (): void => stop.abort()
  process.on('SIGINT', abort)
  process.on('SIGTERM', abort)
  try {
    await work(stop.signal)
    return stop.signal.aborted
  } finally {
    process.off('SIGINT', abort)
    process.off('SIGTERM', abort)
  }
}
